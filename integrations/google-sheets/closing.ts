import { z } from 'zod';
import type { Ledger } from '../provider.ts';

/**
 * Keeps rows out of a sheet while something reads it and then clears what it has read, in whatever process. Whoever
 * writes rows looks before it begins and when it is done: where the sheet was closed meanwhile, nobody can say whether
 * the rows outlived that, and they are written again.
 */
export interface Closing {
  /** Grows each time. */
  count: number;
  /** Until when it is closed, should its closer have died; null where it is open. Milliseconds since 1970. */
  until: number | null;
}

const key = 'closing';
const state = z.object({ count: z.number(), until: z.number().nullable() });
const open: Closing = { count: 0, until: null };

/** For longer than a call of the provider can take. */
const closedMs = 180_000;

export async function readClosing(ledger: Ledger): Promise<Closing> {
  return (await stored(ledger)) ?? open;
}

export const isClosed = ({ until }: Closing, now: Date): boolean => until !== null && until > now.getTime();

/** Does something while no rows are written; undefined, and nothing done, where somebody else is at that. */
export async function whileClosed<Result>({ ledger, now }: { ledger: Ledger; now: () => Date }, task: () => Promise<Result>): Promise<Result | undefined> {
  const before = await stored(ledger);
  if (before && isClosed(before, now())) return undefined;
  const closed = { count: (before?.count ?? 0) + 1, until: now().getTime() + closedMs };
  if (!(await ledger.note([{ key, state: closed, was: before && { ...before } }])).has(key)) return undefined;
  try {
    return await task();
  } finally {
    await ledger.note([{ key, state: { ...closed, until: null }, was: closed }]);
  }
}

async function stored(ledger: Ledger): Promise<Closing | null> {
  const noted = (await ledger.read([key])).get(key)?.state ?? null;
  return noted === null ? null : state.parse(noted);
}
