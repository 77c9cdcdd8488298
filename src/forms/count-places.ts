import type { Pool } from 'pg';
import { waitForWriters } from './response-writers.ts';

/** Erased ones too: a full form stays full. */
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
  await waitForWriters(pool, 'The responses of this form are still being counted; try again.');
  await pool.query({ name: 'count-places', text: count, values: [formId] });
}
