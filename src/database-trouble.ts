import { setTimeout as sleep } from 'node:timers/promises';
import { UnavailableError } from './user-error.ts';

/** Classes of SQLSTATE that say the server or the way to it failed, not the statement. 28: it does not let us in (any more). */
const troubleStates = /^(08|28|53|57P|58|40)/;
const socketErrors = new Set(['ECONNREFUSED', 'ECONNRESET', 'EPIPE', 'ETIMEDOUT', 'ENOTFOUND', 'EAI_AGAIN', 'EHOSTUNREACH']);

/** Whether the database is away, restarting, full, shutting down or closed to us: the same statement may succeed later. */
export function isDatabaseTrouble(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  const code = 'code' in error && typeof error.code === 'string' ? error.code : '';
  if (socketErrors.has(code) || troubleStates.test(code)) return true;
  // pg gives these no code
  return /Connection terminated|timeout exceeded when trying to connect|Client has encountered a connection error|not queryable/i.test(error.message);
}

/**
 * Repeats a statement that may be repeated until the database is back, for `forMs` at most; then throws
 * UnavailableError, because whether it was carried out is not known.
 */
export async function throughTrouble<T>(statement: () => Promise<T>, forMs: number): Promise<T> {
  const giveUpAt = Date.now() + forMs;
  for (let waitMs = 50; ; waitMs = Math.min(waitMs * 2, 1_000)) {
    try {
      return await statement();
    } catch (error) {
      if (!isDatabaseTrouble(error)) throw error;
      if (Date.now() + waitMs > giveUpAt) {
        const message = 'The database did not confirm in time; send the same again, with the same clientId.';
        throw new UnavailableError('DATABASE_UNAVAILABLE', message, 5_000, { cause: error });
      }
      await sleep(waitMs);
    }
  }
}
