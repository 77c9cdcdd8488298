import { hash } from 'node:crypto';

/**
 * What the ledger's entries are called. Numbers and texts stand there as hashes alone: erasing a response leaves nothing
 * of what it said.
 */
export const ledgerKeys = {
  receipt: (familyId: string): string => `receipt:${familyId}`,
  /** A message of Twilio's, and whose it is. */
  message: (sid: string): string => `message:${sid}`,
  /** What a number was sent on a day. */
  day: (number: string, now: Date): string => `day:${now.toISOString().slice(0, 10)}:${fingerprint(number)}`,
  optOut: (number: string): string => `stop:${fingerprint(number)}`,
};

/** A number or a text, to be known again. */
export const fingerprint = (text: string): string => hash('sha256', text).slice(0, 32);
