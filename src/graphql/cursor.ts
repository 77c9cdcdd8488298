/** A place in a list, opaque to clients: the key of the row it stands at. */
export const encodeCursor = (key: string): string => Buffer.from(key).toString('base64url');

/**
 * What a place can be one of: the order of all events, of lists of responses and of subscriptions to them, where a
 * replay begins too; the order in which deliveries were first recorded, of their list; that in which they changed.
 */
export type PlaceKind = 'events' | 'deliveries' | 'deliveryChanges';

/** So that a cursor of one kind is none of another: it would be a place there too, and the wrong one. */
const marks: Record<PlaceKind, string> = { events: '@', deliveries: '#', deliveryChanges: '~' };

/** A place as the key of a cursor. What was there before places were kept has some below one. */
export const positionKey = (position: number, kind: PlaceKind = 'events'): string => `${marks[kind]}${position}`;

/** The place that a key says; undefined for another list's key. */
export const positionOfKey = (key: string, kind: PlaceKind = 'events'): number | undefined =>
  key.startsWith(marks[kind]) && /^(0|-?[1-9]\d{0,15})$/.test(key.slice(1)) ? Number(key.slice(1)) : undefined;

export const isPositionKey = (key: string): boolean => positionOfKey(key) !== undefined;

/** The key a cursor holds; undefined for what is no cursor. */
export function decodeCursor(cursor: string): string | undefined {
  const bytes = Buffer.from(cursor, 'base64url');
  return bytes.length > 0 && bytes.toString('base64url') === cursor ? bytes.toString() : undefined;
}
