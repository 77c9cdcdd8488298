import { suffixOf, type Id } from '../events/id.ts';

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';

/**
 * The trace of all that is done for an event once it has to be made again from what is stored: published by a sweeper,
 * tried again after hours, by whatever process. It is the event's own id, of 128 bits, as 32 hexadecimal digits, so that
 * nobody has to keep it, and whoever knows an event knows where to look.
 */
export function traceIdOf(eventId: Id<'evt'>): string {
  let bits = 0n;
  for (const digit of suffixOf(eventId)) bits = bits * 32n + BigInt(alphabet.indexOf(digit));
  return bits.toString(16).padStart(32, '0');
}

/** A place in that trace to link to, of which nobody makes a span. */
export const spanIdOf = (eventId: Id<'evt'>): string => traceIdOf(eventId).slice(16);
