/** A place in a list, opaque to clients: the key of the row it stands at. */
export const encodeCursor = (key: string): string => Buffer.from(key).toString('base64url');

/** The key a cursor holds; undefined for what is no cursor. */
export function decodeCursor(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === cursor ? bytes.toString() : undefined;
}
