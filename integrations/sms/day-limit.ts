import { z } from 'zod';
import type { Ledger } from '../provider.ts';
import { ledgerKeys } from './ledger-keys.ts';

const places = z.array(z.string());

const dayMs = 86_400_000;
/** The day is over then in every process, whatever its clock says. */
const dayAfter = (now: Date): Date => new Date((Math.floor(now.getTime() / dayMs) + 2) * dayMs);

/** How often others may take a place of the same number in the same moment, before this is left to the next attempt. */
const maxTries = 10;

/**
 * Takes one of the places that a number has in a day (UTC). The same message finds its place again, so that neither a
 * crash nor a refusal takes a second one; different ones never get more places than there are, in all processes together.
 */
export async function takePlace(
  ledger: Ledger,
  wanted: { number: string; now: Date; message: string; limit: number },
): Promise<'taken' | 'full' | 'contended'> {
  const { number, now, message, limit } = wanted;
  const key = ledgerKeys.day(number, now);
  for (let tries = 0; tries < maxTries; tries += 1) {
    const was = (await ledger.read([key])).get(key)?.state ?? null;
    const taken = was === null ? [] : places.parse(was);
    if (taken.includes(message)) return 'taken';
    if (taken.length >= limit) return 'full';
    if ((await ledger.note([{ key, state: [...taken, message], was, forgetAt: dayAfter(now) }])).has(key)) return 'taken';
  }
  return 'contended';
}
