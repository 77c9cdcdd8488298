import { z } from 'zod';
import type { Json } from '../../src/events/canonical-json.ts';
import type { Ledger, LedgerEntry } from '../provider.ts';
import { erasedRank, type EventRow } from './event-row.ts';

/**
 * What the ledger knows of a response: the place of its row, and the highest rank that any call was about to write there.
 * A first revision is not noted, so that the common way takes no write.
 */
const state = z.union([z.object({ revision: z.number() }), z.object({ erased: z.literal(true) })]);

export function knownRank(entry: LedgerEntry | undefined): number {
  if (!entry || entry.state === null) return 0;
  const known = state.parse(entry.state);
  return 'erased' in known ? erasedRank : known.revision;
}

const stateOf = (rank: number): Json => (rank === erasedRank ? { erased: true } : { revision: rank });

/**
 * Notes ranks before they are written, so that no late call puts an older revision over them. Answers the responses that
 * another process has noted at the same time: which of the two is newer has to be looked up again.
 */
export async function noteRanks(ledger: Ledger, rows: readonly EventRow[], known: ReadonlyMap<string, LedgerEntry>): Promise<Set<string>> {
  const news = rows.filter(({ familyId, rank }) => rank > 1 && rank > knownRank(known.get(familyId)));
  if (news.length === 0) return new Set();
  const noted = await ledger.note(news.map(({ familyId, rank }) => ({ key: familyId, state: stateOf(rank), was: known.get(familyId)?.state ?? null })));
  return new Set(news.map(({ familyId }) => familyId).filter((familyId) => !noted.has(familyId)));
}

/** Of each response the event that says most; of two with the same rank the later one. */
export function newestOf(rows: readonly EventRow[]): Map<string, EventRow> {
  const newest = new Map<string, EventRow>();
  for (const row of rows) if (row.rank >= (newest.get(row.familyId)?.rank ?? 0)) newest.set(row.familyId, row);
  return newest;
}
