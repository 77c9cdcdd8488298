import type { Pool } from 'pg';
import { waitForTableWriters } from '../table-writers.ts';
import { UnavailableError } from '../user-error.ts';

const waitAtMostMs = 10_000;

/**
 * Waits until every statement is through that is writing responses now; those that begin later see what was committed
 * before this call, and are not waited for. Throws UnavailableError with `message` where one does not end.
 */
export async function waitForWriters(pool: Pool, message: string): Promise<void> {
  if (!(await waitForTableWriters(pool, { tables: ['responses'], atMostMs: waitAtMostMs }))) throw new UnavailableError('OVERLOADED', message, 1_000);
}
