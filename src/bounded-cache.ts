/** Keeps the most recently used values, up to a total weight. */
export interface BoundedCache<Key, Value> {
  get(key: Key): Value | undefined;
  /** A value heavier than the whole cache is not kept. */
  set(key: Key, value: Value, weight: number): void;
  delete(key: Key): void;
}

export function createBoundedCache<Key, Value>({ maxWeight }: { maxWeight: number }): BoundedCache<Key, Value> {
  // A Map keeps the order of insertion: what is used moves to its end, what is at its front goes first.
  const entries = new Map<Key, { value: Value; weight: number }>();
  let total = 0;

  const remove = (key: Key): void => {
    total -= entries.get(key)?.weight ?? 0;
    entries.delete(key);
  };

  return {
    get(key) {
      const entry = entries.get(key);
      if (!entry) return undefined;
      entries.delete(key);
      entries.set(key, entry);
      return entry.value;
    },
    set(key, value, weight) {
      remove(key);
      entries.set(key, { value, weight });
      total += weight;
      for (const oldest of entries.keys()) {
        if (total <= maxWeight) break;
        remove(oldest);
      }
    },
    delete: remove,
  };
}
