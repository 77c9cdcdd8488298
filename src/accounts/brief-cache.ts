/** Remembers what was read for a moment, so that it is asked for once in that time and never believed for longer. */
export interface BriefCache<Key, Value> {
  /** What is known of a key, read at most `maxAgeMs` ago; callers who come while it is read share the reading. */
  get(key: Key): Promise<Value>;
  /** Reads everything anew from here on. */
  clear(): void;
}

export interface BriefCacheOptions<Key, Value> {
  read: (key: Key) => Promise<Value>;
  /** Counted from the start of a reading: what changed since cannot be in it. */
  maxAgeMs: number;
  maxEntries: number;
  /** Milliseconds of a clock that only goes forward. */
  monotonicMs?: () => number;
}

export function createBriefCache<Key, Value>(options: BriefCacheOptions<Key, Value>): BriefCache<Key, Value> {
  const { read, maxAgeMs, maxEntries, monotonicMs = () => performance.now() } = options;
  const entries = new Map<Key, { value: Promise<Value>; readAtMs: number }>();

  const start = (key: Key): Promise<Value> => {
    const entry = { value: read(key), readAtMs: monotonicMs() };
    entry.value.catch(() => {
      if (entries.get(key) === entry) entries.delete(key); // the next caller tries again
    });
    entries.delete(key); // to the end: the front holds what was read longest ago
    entries.set(key, entry);
    const [oldest] = entries.keys();
    if (entries.size > maxEntries && oldest !== undefined) entries.delete(oldest);
    return entry.value;
  };

  return {
    get: (key) => {
      const known = entries.get(key);
      return known && monotonicMs() - known.readAtMs < maxAgeMs ? known.value : start(key);
    },
    clear: () => entries.clear(),
  };
}
