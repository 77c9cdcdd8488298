import { z } from 'zod';
import type { Ledger } from '../provider.ts';
import type { Part } from './parts.ts';

const partsKey = 'parts';
const partsState = z.array(z.object({ spreadsheetId: z.string(), firstPosition: z.number() }));

/** As many as a state of the ledger has room for; at the least, 300,000,000 cells. */
export const maxParts = 40;

/** The spreadsheets of a sheet, in their order; none before it is connected. */
export async function readParts(ledger: Ledger): Promise<Part[]> {
  const state = (await ledger.read([partsKey])).get(partsKey)?.state ?? null;
  return state === null ? [] : partsState.parse(state);
}

/** Notes one more part, unless somebody else has noted one meanwhile; answers whether it was noted. */
export async function noteParts(ledger: Ledger, parts: readonly Part[], part: Part): Promise<boolean> {
  const was = parts.length === 0 ? null : parts.map(stateOf);
  const noted = await ledger.note([{ key: partsKey, state: [...parts, part].map(stateOf), was }]);
  return noted.has(partsKey);
}

const stateOf = ({ spreadsheetId, firstPosition }: Part) => ({ spreadsheetId, firstPosition });
