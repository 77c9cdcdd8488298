/** Any value JSON can carry. */
export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

/**
 * The same value with the keys of every object in code-unit order, so that equal values have equal text, whatever
 * order a client or PostgreSQL's jsonb kept them in. `depth` guards the stack: deeper values throw RangeError.
 */
export function canonical(value: Json, depth = 64): Json {
  if (typeof value !== 'object' || value === null) return value;
  if (depth === 0) throw new RangeError('JSON is nested too deeply');
  if (isJsonArray(value)) return value.map((item) => canonical(item, depth - 1));
  const sorted: Record<string, Json> = Object.create(null) as Record<string, Json>;
  for (const key of Object.keys(value).toSorted()) sorted[key] = canonical(value[key] ?? null, depth - 1);
  return sorted;
}

const isJsonArray = (value: Json): value is readonly Json[] => Array.isArray(value);
