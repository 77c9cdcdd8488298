import path from 'node:path';
import { defineCommand } from 'citty';
import { parseProviderName } from './new-provider/provider-name.ts';
import { writeProvider } from './new-provider/write-provider.ts';
import { runProgram } from './run-program.ts';

const root = path.resolve(import.meta.dirname, '../..');

const newProvider = defineCommand({
  meta: { name: 'new-provider', description: 'Write a provider that works, to begin with: it posts events to a URL.' },
  args: {
    name: { type: 'positional', required: false, description: 'what it is called, for example parcel-labels' },
  },
  run: ({ args }) => {
    const [name, ...others] = args._;
    if (name === undefined) throw new Error('Say what it is called, for example: npm run new-provider parcel-labels');
    if (others.length > 0) throw new Error(`A name is one word, with hyphens; "${args._.join(' ')}" is ${args._.length}.`);
    const parsed = parseProviderName(name);
    const written = writeProvider(root, parsed);
    process.stdout.write(farewell(parsed.kebab, written));
  },
});

const farewell = (kebab: string, written: readonly string[]): string => `
${written.map((file) => `  ${file}`).join('\n')}

  npm run schema                                      # its settings are an input of the API now
  npm test -- test/providers/${`${kebab}.test.ts`.padEnd(25)}# the contract's tests, and its own
  integrations/README.md                              # how to go on from here

`;

await runProgram('new-provider', newProvider);
