import type { Json } from '../../src/events/canonical-json.ts';
import type { Ledger } from '../provider.ts';
import { ledgerKeys } from './ledger-keys.ts';
import { parseReceipt, type Receipt } from './receipt.ts';

/** What the ledger knows of the receipt of a response's family. */
export async function readReceipt(ledger: Ledger, familyId: string): Promise<Receipt | undefined> {
  const key = ledgerKeys.receipt(familyId);
  const state = (await ledger.read([key])).get(key)?.state ?? null;
  return state === null ? undefined : parseReceipt(state);
}

/**
 * Notes what has become of a receipt, unless somebody else has noted something since `was` was read: of all who want to
 * send, in all processes, one is answered true.
 */
export async function noteReceipt(ledger: Ledger, note: { familyId: string; state: Receipt; was: Receipt | undefined }): Promise<boolean> {
  const { familyId, state, was } = note;
  const key = ledgerKeys.receipt(familyId);
  return (await ledger.note([{ key, state, was: was ?? null }])).has(key);
}

/** Notes that a message of Twilio's is this response's, for good; false where it is another's. */
export async function claimMessage(ledger: Ledger, { sid, familyId }: { sid: string; familyId: string }): Promise<boolean> {
  const key = ledgerKeys.message(sid);
  if ((await ledger.note([{ key, state: familyId, was: null }])).has(key)) return true;
  return (await ledger.read([key])).get(key)?.state === familyId;
}

/** How often somebody else may be quicker before this is left to the next attempt. */
const maxTries = 5;

/**
 * Notes that Twilio has the receipt, whatever was known of it: a callback or the list may be quicker than the answer.
 * What is accepted already stays as it is.
 */
export async function noteAccepted(ledger: Ledger, accepted: { familyId: string; eventId: string; sid: string }): Promise<void> {
  const { familyId, eventId, sid } = accepted;
  await claimMessage(ledger, { sid, familyId });
  for (let tries = 0; tries < maxTries; tries += 1) {
    const was = await readReceipt(ledger, familyId);
    if (was?.status === 'accepted') return;
    if (await noteReceipt(ledger, { familyId, state: { status: 'accepted', eventId, sid }, was })) return;
  }
  throw new Error(`the receipt of ${familyId} is noted by others again and again`);
}

/** How long it is remembered that somebody has unsubscribed. After that Twilio is asked again: START takes it back. */
const optOutMs = 7 * 24 * 3_600_000;

/** Notes that a number has unsubscribed. */
export async function noteOptOut(ledger: Ledger, { number, now }: { number: string; now: Date }): Promise<void> {
  const key = ledgerKeys.optOut(number);
  const was = (await ledger.read([key])).get(key)?.state ?? null;
  const forgetAt = new Date(now.getTime() + optOutMs);
  await ledger.note([{ key, state: forgetAt.toISOString(), was, forgetAt }]); // if another was quicker, it said the same
}

/** Whether a number is known to have unsubscribed. */
export async function hasOptedOut(ledger: Ledger, { number, now }: { number: string; now: Date }): Promise<boolean> {
  const key = ledgerKeys.optOut(number);
  const until: Json = (await ledger.read([key])).get(key)?.state ?? null;
  return typeof until === 'string' && new Date(until) > now;
}
