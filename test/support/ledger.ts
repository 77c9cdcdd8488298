import { isDeepStrictEqual } from 'node:util';
import type { Json } from '../../src/events/canonical-json.ts';
import { checkedKeys, stateText } from '../../src/ledger/ledger-bounds.ts';
import type { Ledger, LedgerEntry } from '../../integrations/provider.ts';

/** A ledger in memory, for tests of providers: as the real one, with its bounds, but for its durability. */
export function createMemoryLedger(): Ledger {
  const entries = new Map<string, LedgerEntry>();
  let nextPlace = 0;
  return {
    reserve: async (keys) =>
      new Map(
        checkedKeys(keys).map((key) => {
          const entry = entries.get(key) ?? { place: null, state: null };
          const place = entry.place ?? nextPlace++;
          entries.set(key, { ...entry, place });
          return [key, place];
        }),
      ),
    read: async (keys) => new Map(checkedKeys(keys).flatMap((key) => (entries.has(key) ? [[key, entries.get(key) as LedgerEntry]] : []))),
    note: async (notes) => {
      if (checkedKeys(notes.map(({ key }) => key)).length < notes.length) throw new Error('a key can be noted once in a call');
      const fitting = notes.filter(({ key, was }) => isDeepStrictEqual(entries.get(key)?.state ?? null, was === null ? null : stored(was)));
      for (const { key, state } of fitting) entries.set(key, { place: entries.get(key)?.place ?? null, state: stored(state) });
      return new Set(fitting.map(({ key }) => key));
    },
  };
}

const stored = (state: Json): Json => JSON.parse(stateText(state)) as Json;
