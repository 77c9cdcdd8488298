import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { UnavailableError } from '../user-error.ts';

const waitAtMostMs = 10_000;

/** Statements that are writing responses now. A statement locks its tables before it takes its snapshot. */
const selectWriting = `
  select virtualtransaction as writer from pg_locks
  where relation = 'responses'::regclass and mode = 'RowExclusiveLock' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())`;

/**
 * Waits until every statement is through that is writing responses now; those that begin later see what was committed
 * before this call, and are not waited for. Throws UnavailableError with `message` where one does not end.
 */
export async function waitForWriters(pool: Pool, message: string): Promise<void> {
  let writing = await readWriters(pool);
  const giveUpAt = Date.now() + waitAtMostMs;
  for (let waitMs = 1; writing.size > 0; waitMs = Math.min(waitMs * 2, 100)) {
    if (Date.now() > giveUpAt) throw new UnavailableError('OVERLOADED', message, 1_000);
    await sleep(waitMs);
    writing = writing.intersection(await readWriters(pool));
  }
}

async function readWriters(pool: Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ writer: string }>({ name: 'responses-writers', text: selectWriting });
  return new Set(rows.map((row) => row.writer));
}
