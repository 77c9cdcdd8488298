import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import { UnavailableError } from '../user-error.ts';

const waitAtMostMs = 10_000;

/** Statements that are writing responses now. A statement locks its tables before it takes its snapshot. */
const selectWriting = `
  select virtualtransaction as writer from pg_locks
  where relation = 'responses'::regclass and mode = 'RowExclusiveLock' and granted and pid <> pg_backend_pid()
    and database = (select oid from pg_database where datname = current_database())`;

const count = `
  update form_places set taken = (select count(*) from responses where form_id = $1 and family_id = id)
  where form_id = $1 and taken is null`;

/**
 * Counts the responses of a form that has been given a limit. Until then the form takes none, so the count is exact
 * once every statement is through that began before the limit was there and does not count; those that began later do
 * not matter and are not waited for. Safe to call from several processes at once: one counts, for the others nothing is
 * left to do. Throws UnavailableError where a statement does not end.
 */
export async function countPlaces(pool: Pool, formId: string): Promise<void> {
  let writing = await readWriters(pool);
  const giveUpAt = Date.now() + waitAtMostMs;
  for (let waitMs = 1; writing.size > 0; waitMs = Math.min(waitMs * 2, 100)) {
    if (Date.now() > giveUpAt) throw new UnavailableError('OVERLOADED', 'The responses of this form are still being counted; try again.', 1_000);
    await sleep(waitMs);
    writing = writing.intersection(await readWriters(pool));
  }
  await pool.query({ name: 'count-places', text: count, values: [formId] });
}

async function readWriters(pool: Pool): Promise<Set<string>> {
  const { rows } = await pool.query<{ writer: string }>({ name: 'responses-writers', text: selectWriting });
  return new Set(rows.map((row) => row.writer));
}
