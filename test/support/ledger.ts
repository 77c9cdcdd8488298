import type { Json } from '../../src/events/canonical-json.ts';
import type { Ledger, LedgerEntry } from '../../integrations/provider.ts';

/** A ledger in memory, for tests of providers: as the real one, but for its durability. */
export function createMemoryLedger(): Ledger {
  const entries = new Map<string, LedgerEntry>();
  let nextPlace = 0;
  const isSame = (one: Json | null, other: Json | null) => JSON.stringify(one) === JSON.stringify(other);
  return {
    reserve: async (keys) =>
      new Map(
        keys.map((key) => {
          const entry = entries.get(key) ?? { place: null, state: null };
          const place = entry.place ?? nextPlace++;
          entries.set(key, { ...entry, place });
          return [key, place];
        }),
      ),
    read: async (keys) => new Map(keys.flatMap((key) => (entries.has(key) ? [[key, entries.get(key) as LedgerEntry]] : []))),
    note: async (notes) => {
      const fitting = notes.filter(({ key, was }) => isSame(entries.get(key)?.state ?? null, was));
      for (const { key, state } of fitting) entries.set(key, { place: entries.get(key)?.place ?? null, state });
      return new Set(fitting.map(({ key }) => key));
    },
  };
}
