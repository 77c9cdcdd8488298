import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';

/** Statements that are writing a table now. A statement locks its tables before it takes its snapshot, or anything else. */
const selectWriting = `
  select distinct virtualtransaction as writer from pg_locks
  where relation = any($1::regclass[]) and mode = 'RowExclusiveLock' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())`;

export interface WaitForWriters {
  tables: readonly string[];
  atMostMs: number;
}

/**
 * Waits until every transaction is through that is writing one of the tables now; those that begin later are not waited
 * for. Answers whether they were all through in time: what they wrote can be seen then. A transaction lets go of its
 * locks after others can see what it did.
 */
export async function waitForTableWriters(pool: Pool, { tables, atMostMs }: WaitForWriters): Promise<boolean> {
  let writing = await readWriters(pool, tables);
  const giveUpAt = performance.now() + atMostMs;
  for (let waitMs = 1; writing.size > 0; waitMs = Math.min(waitMs * 2, 100)) {
    if (performance.now() > giveUpAt) return false;
    await sleep(waitMs);
    writing = writing.intersection(await readWriters(pool, tables));
  }
  return true;
}

async function readWriters(pool: Pool, tables: readonly string[]): Promise<Set<string>> {
  const { rows } = await pool.query<{ writer: string }>({ name: 'table-writers', text: selectWriting, values: [tables] });
  return new Set(rows.map((row) => row.writer));
}
