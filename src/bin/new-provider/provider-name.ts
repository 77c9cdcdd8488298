/** One name in the spellings that a provider needs it in. */
export interface ProviderName {
  /** Of its folder and files: `parcel-labels`. */
  kebab: string;
  /** In the API and in the database: `parcelLabels`. */
  camel: string;
  /** Of its types: `ParcelLabels`. */
  pascal: string;
  /** For people: `Parcel labels`. */
  title: string;
}

const maxLength = 40;

/** Names that mean something else in the places where a provider's stands. */
const reserved = new Set([
  'arguments', 'async', 'await', 'break', 'case', 'catch', 'class', 'const', 'continue', 'debugger', 'default', 'delete', 'do', 'else', 'enum', 'eval',
  'export', 'extends', 'false', 'finally', 'for', 'function', 'if', 'implements', 'import', 'in', 'instanceof', 'interface', 'let', 'new', 'null',
  'package', 'private', 'protected', 'public', 'return', 'static', 'super', 'switch', 'this', 'throw', 'true', 'try', 'typeof', 'undefined', 'var',
  'void', 'while', 'with', 'yield',
  'test', 'expect', 'describe', 'token', 'contract', 'installed', 'sample', 'service', 'services', 'integration', 'index', 'provider', 'providers',
  'outcome-of', 'deliver-one', 'describe-provider', 'sample-event', 'start-receiver', 'start-endpoint', 'create-call-context', 'provider-named',
]);

/**
 * Reads a name as somebody types it, `parcel-labels` or `parcelLabels`. Throws where none can be made of it, with a
 * sentence that says why.
 */
export function parseProviderName(text: string): ProviderName {
  const kebab = text.replaceAll(/(?<=[a-z0-9])[A-Z]/g, (letter) => `-${letter}`).toLowerCase();
  if (!/^[a-z][a-z0-9]*(-[a-z][a-z0-9]*)*$/.test(kebab)) {
    throw new Error(`"${text}" is no name for a provider: it is made of words of a–z and 0–9 that begin with a letter, such as parcel-labels.`);
  }
  if (kebab.length > maxLength) throw new Error(`A provider's name has at most ${maxLength} characters; "${kebab}" has ${kebab.length}.`);
  if (reserved.has(kebab)) throw new Error(`"${text}" means something else already; choose a name that says which service it is.`);
  const words = kebab.split('-');
  const pascal = words.map(capitalized).join('');
  return { kebab, camel: pascal.charAt(0).toLowerCase() + pascal.slice(1), pascal, title: capitalized(words.join(' ')) };
}

const capitalized = (word: string): string => word.charAt(0).toUpperCase() + word.slice(1);
