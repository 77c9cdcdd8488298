import { googleErrors } from './errors.ts';
import type { DriveFile } from './drive-files.ts';

type Term = (file: DriveFile, project: string) => boolean;

const text = `'((?:[^'\\\\]|\\\\.)*)'`;
const unescaped = (quoted = ''): string => quoted.replaceAll(/\\(.)/g, '$1');

const terms: { form: RegExp; term(match: RegExpExecArray): Term }[] = [
  {
    form: new RegExp(`^appProperties\\s+has\\s*\\{\\s*key\\s*=\\s*${text}\\s+and\\s+value\\s*=\\s*${text}\\s*\\}`),
    term: ([, key, value]) => (file, project) => file.appProperties.get(project)?.[unescaped(key)] === unescaped(value),
  },
  { form: /^trashed\s*=\s*(true|false)/, term: ([, value]) => (file) => file.trashed === (value === 'true') },
  { form: new RegExp(`^mimeType\\s*=\\s*${text}`), term: ([, value]) => (file) => file.mimeType === unescaped(value) },
  { form: new RegExp(`^name\\s*=\\s*${text}`), term: ([, value]) => (file) => file.name === unescaped(value) },
  {
    form: new RegExp(`^name\\s+contains\\s+${text}`),
    term: ([, value]) => (file) => file.name.toLowerCase().split(/\s+/).some((word) => word.startsWith(unescaped(value).toLowerCase())),
  },
  { form: new RegExp(`^${text}\\s+in\\s+parents`), term: ([, value]) => (file) => file.parents.includes(unescaped(value)) },
];

/**
 * Reads `q` of files.list: terms on application properties, trash, type, name and parents, joined by `and`. Anything
 * else is Google's "Invalid Value". Source: Drive API "Search query terms and operators".
 */
export function parseDriveQuery(query: string): Term {
  const all: Term[] = [];
  let rest = query.trim();
  for (;;) {
    const found = terms.map(({ form, term }) => ({ match: form.exec(rest), term })).find(({ match }) => match !== null);
    if (!found?.match) throw googleErrors.invalidValue('q');
    all.push(found.term(found.match));
    rest = rest.slice(found.match[0].length).trimStart();
    if (rest === '') return (file, project) => all.every((term) => term(file, project));
    const and = /^and\s+/.exec(rest);
    if (and === null) throw googleErrors.invalidValue('q');
    rest = rest.slice(and[0].length);
  }
}
