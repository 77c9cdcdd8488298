import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { ProviderName } from './provider-name.ts';

/**
 * Writes a provider that works, its tests, and its line in `integrations/index.ts`, into the project at `root`. Answers
 * what it wrote. Throws before it has written anything where something of that name is there; nothing is overwritten.
 */
export function writeProvider(root: string, name: ProviderName): string[] {
  const index = path.join(root, 'integrations/index.ts');
  const files = filesOf(name).map(({ to, template }) => ({ to, text: filled(template, name) }));
  for (const place of [`integrations/${name.kebab}`, `integrations/${name.kebab}.ts`, ...files.map(({ to }) => to)]) {
    if (existsSync(path.join(root, place))) throw new Error(`${place} is there already; choose another name, or move it away.`);
  }
  const indexText = withProvider(readFileSync(index, 'utf8'), name);
  for (const { to, text } of files) {
    mkdirSync(path.dirname(path.join(root, to)), { recursive: true });
    writeFileSync(path.join(root, to), text, { flag: 'wx' });
  }
  writeFileSync(index, indexText);
  return [...files.map(({ to }) => to), 'integrations/index.ts'];
}

const filesOf = ({ kebab }: ProviderName) => [
  { to: `integrations/${kebab}/${kebab}.ts`, template: 'provider' },
  { to: `integrations/${kebab}/settings.ts`, template: 'settings' },
  { to: `integrations/${kebab}/outcome-of.ts`, template: 'outcome-of' },
  { to: `test/providers/${kebab}.test.ts`, template: 'test' },
];

/** The templates are code of a provider that is called `new-provider`. */
function filled(template: string, { kebab, camel, pascal, title }: ProviderName): string {
  const text = readFileSync(new URL(`template/${template}.txt`, import.meta.url), 'utf8');
  return text.replaceAll('new-provider', kebab).replaceAll('newProvider', camel).replaceAll('NewProvider', pascal).replaceAll('New provider', title);
}

/** `integrations/index.ts` with one more provider in it, imported among the others by the alphabet. */
export function withProvider(text: string, { kebab, camel }: ProviderName): string {
  const list = /^export const providers = \[([^\]]*)\]/m.exec(text);
  if (!list) throw new Error('integrations/index.ts has no list of providers that could be added to: it reads export const providers = [webhook, …].');
  const [whole, members = ''] = list;
  const names = members.split(',').map((member) => member.trim()).filter((member) => member !== '');
  if (names.includes(camel)) throw new Error(`A provider ${camel} is installed already.`);
  const added = text.replace(whole, whole.replace(members, [...names, camel].join(', ')));
  const line = `import { ${camel} } from './${kebab}/${kebab}.ts';`;
  const imports = added.split('\n').filter((each) => each.startsWith('import {') && each.includes('/'));
  const next = imports.find((each) => pathOf(each) > pathOf(line));
  if (next !== undefined) return added.replace(next, `${line}\n${next}`);
  const last = imports.at(-1);
  return last === undefined ? `${line}\n${added}` : added.replace(last, `${last}\n${line}`);
}

const pathOf = (line: string): string => /'(.*)'/.exec(line)?.[1] ?? '';
