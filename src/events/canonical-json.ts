/** Any value JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * The same value with the keys of every object in code-unit order, so that equal values have equal text, whatever
 * order a client or PostgreSQL's jsonb kept them in. `depth` guards the stack: deeper values throw RangeError.
 */
export function canonical(value: Json, depth = 64): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) throw new RangeError('JSON is nested too deeply');
  if (isJsonArray(value)) return value.every(isScalar) ? value : value.map((item) => canonical(item, depth - 1));
  const keys = Object.keys(value);
  if (isSorted(keys) && keys.every((key) => isScalar(value[key]))) return value; // nearly all there is, and nothing to copy
  return Object.fromEntries(keys.toSorted().map((key) => [key, canonical(value[key] ?? null, depth - 1)]));
}

const isScalar = (value: Json | undefined): boolean => value === null || (typeof value !== 'object' && value !== undefined);

const isSorted = (keys: readonly string[]): boolean => keys.every((key, index) => index === 0 || (keys[index - 1] ?? '') <= key);

const isJsonArray = (value: Json): value is readonly Json[] => Array.isArray(value);
