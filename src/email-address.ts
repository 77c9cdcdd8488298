// Single classes without alternatives: they cannot backtrack.
const localPart = /^[^\s\p{Cc}@<>()[\]\\,;:"]{1,64}$/u;
const label = /^[\p{L}\p{M}\p{N}-]{1,63}$/u;

/**
 * Whether a text is an e-mail address in the form people have them: something @ a domain with a dot. Addresses with
 * quotes, comments or a literal IP address, which the standard knows and nobody has, are refused.
 * Source: RFC 5321, 4.5.3.1 (lengths); RFC 6531 (letters beyond ASCII).
 */
export function isEmailAddress(text: string): boolean {
  if (text.length > 254) return false;
  const at = text.lastIndexOf('@');
  return at > 0 && isLocalPart(text.slice(0, at)) && isDomain(text.slice(at + 1));
}

const isLocalPart = (text: string): boolean =>
  localPart.test(text) && !text.startsWith('.') && !text.endsWith('.') && !text.includes('..');

function isDomain(text: string): boolean {
  const labels = text.split('.');
  return labels.length >= 2 && labels.every((part) => label.test(part) && !part.startsWith('-') && !part.endsWith('-'));
}
