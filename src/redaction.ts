/** Known by their form alone. Each is bounded, so that a hostile text takes no more time than its length. */
const secrets: readonly (readonly [RegExp, string])[] = [
  [/whsec_[A-Za-z0-9+/=_-]+/g, '[redacted]'],
  // JSON Web Tokens
  [/\beyJ[\w-]{1,2000}\.[\w-]{1,2000}\.[\w-]{1,2000}/g, '[redacted]'],
  [/\b(bearer|basic) +[\w.~+/=-]{8,}/gi, '$1 [redacted]'],
  [/-----BEGIN [A-Z ]{0,20}PRIVATE KEY-----[^]*?(-----END [A-Z ]{0,20}PRIVATE KEY-----|$)/g, '[redacted]'],
  // E.164, where no digit, letter or sign stands before it that makes it a part of something else
  [/(?<![\w.:+-])\+\d{7,15}\b/g, '[redacted]'],
];

const url = /[a-z][a-z0-9+.-]{0,20}:\/\/[^\s"'\\]+/gi;

/** A text that somebody else wrote, such as the message of an error, without credentials, keys, tokens and phone numbers, as far as their form tells them. */
export function redact(text: string): string {
  let redacted = text.includes('://') ? text.replace(url, redactUrl) : text; // to look for it costs ten times as much
  for (const [pattern, replacement] of secrets) redacted = redacted.replace(pattern, replacement);
  return redacted;
}

/** Without user and password, or a token, before the host, and without its query: keys of all kinds are sent in both. */
function redactUrl(found: string): string {
  const begin = found.indexOf('://') + 3;
  const rest = found.slice(begin);
  const pathAt = rest.search(/[/?#]/);
  const authority = pathAt === -1 ? rest : rest.slice(0, pathAt);
  const host = authority.slice(authority.lastIndexOf('@') + 1);
  const [path = '', query] = pathAt === -1 ? [] : rest.slice(pathAt).split('?', 2);
  return `${found.slice(0, begin)}${host === authority ? '' : '[redacted]@'}${host}${path}${query === undefined ? '' : '?[redacted]'}`;
}
