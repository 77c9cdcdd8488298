/** A place in a list, opaque to clients: the key of the row it stands at. */
export const encodeCursor = (key: string): string => Buffer.from(key).toString('base64url');

/**
 * A place in the order of all events as the key of a cursor: the same in lists of responses and in subscriptions, and
 * where a replay begins. Responses that were there before positions were kept have some below zero.
 */
export const positionKey = (position: number): string => `@${position}`;

/** The place that a key says; undefined for another list's key. */
export const positionOfKey = (key: string): number | undefined => (/^@(0|-?[1-9]\d{0,15})$/.test(key) ? Number(key.slice(1)) : undefined);

export const isPositionKey = (key: string): boolean => positionOfKey(key) !== undefined;

/** The key a cursor holds; undefined for what is no cursor. */
export function decodeCursor(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === cursor ? bytes.toString() : undefined;
}
