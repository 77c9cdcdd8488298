import type { Json } from './events/canonical-json.ts';

const maxJsonDepth = 32;
const maxJsonBytes = 64 * 1024;

/**
 * Why PostgreSQL's jsonb cannot keep a text, as the end of a sentence; undefined where it can. jsonb refuses NUL, and
 * half of a surrogate pair is no character at all.
 */
export function whyTextUnstorable(text: string): string | undefined {
  if (!text.isWellFormed()) return 'contains half of a surrogate pair, which is not valid Unicode';
  if (text.includes('\u0000')) return 'contains the character U+0000, which cannot be stored';
  return undefined;
}

/** Where and why free JSON cannot be stored. `path` leads to the place inside the value. */
export interface JsonRefusal {
  reason: string;
  path: readonly (string | number)[];
}

/**
 * Checks free JSON: every text and key storable, numbers of a sensible size (a GraphQL literal can say 1e999), at most 32 levels
 * deep and 64 KiB long. Answers the first fault.
 */
export function whyJsonUnstorable(value: unknown): JsonRefusal | undefined {
  const refusal = walk(value, maxJsonDepth);
  if (refusal) return { reason: refusal.reason, path: refusal.path.toReversed() };
  if (typeof value !== 'object' || value === null) return undefined;
  const bytes = Buffer.byteLength(JSON.stringify(value));
  return bytes > maxJsonBytes ? refuse(`is ${bytes} bytes long as JSON; at most ${maxJsonBytes} are kept`) : undefined;
}

/** Whether a value has no more levels than anything that is ever stored. */
export const isShallow = (value: Json, levels = maxJsonDepth): boolean =>
  typeof value !== 'object' || value === null || (levels > 0 && Object.values(value).every((item) => isShallow(item, levels - 1)));

/** `path` from the inside out, so that the way down costs nothing. */
interface Refusal {
  reason: string;
  path: (string | number)[];
}

const refuse = (reason: string): Refusal => ({ reason, path: [] });

function walk(value: unknown, levels: number): Refusal | undefined {
  if (typeof value === 'string') return ifUnstorable(value);
  if (typeof value === 'number') return isWritable(value) ? undefined : refuse('is a number beyond 1e21 or finer than 1e-21');
  if (value === null || typeof value === 'boolean') return undefined;
  return typeof value === 'object' ? walkMembers(value, levels) : refuse('is not JSON');
}

/** PostgreSQL writes numbers out in full: 1e308 takes 309 digits, and some kilobytes of them half a megabyte. */
const isWritable = (value: number): boolean => value === 0 || (Math.abs(value) < 1e21 && Math.abs(value) > 1e-21);

function walkMembers(value: object, levels: number): Refusal | undefined {
  if (levels === 0) return refuse(`is nested more than ${maxJsonDepth} levels deep`);
  if (Array.isArray(value)) {
    for (const [index, item] of value.entries()) {
      const refusal = walk(item, levels - 1);
      if (refusal) return { ...refusal, path: [...refusal.path, index] };
    }
    return undefined;
  }
  for (const [key, item] of Object.entries(value)) {
    const badKey = whyTextUnstorable(key);
    if (badKey !== undefined) return refuse(`has a key that ${badKey}`); // which must not get into a path either
    const refusal = walk(item, levels - 1);
    if (refusal) return { ...refusal, path: [...refusal.path, key] };
  }
  return undefined;
}

function ifUnstorable(text: string): Refusal | undefined {
  const reason = whyTextUnstorable(text);
  return reason === undefined ? undefined : refuse(reason);
}
