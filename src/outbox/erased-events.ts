import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

/** More at a time than anybody erases; beyond it, what is still on its way may go out. */
const maxKnown = 100_000;

/** Events of erased responses that a dispatcher has in its hands, or the stream brings it yet. */
export async function readErasedEvents(pool: Pool): Promise<Set<Id<'evt'>>> {
  const { rows } = await pool.query<{ id: Id<'evt'> }>({ name: 'erased-events', text: `select event_id as id from erased_events limit ${maxKnown}` });
  return new Set(rows.map((row) => row.id));
}

const letGo = `
  delete from outbox o using erased_events e
  where o.position = any($1) and e.position = o.position`;

/** Lets go of outbox rows whose events can never be made again, because their response was erased: they are accounted for. */
export async function letGoOfErased(pool: Pool, positions: readonly number[]): Promise<void> {
  await pool.query({ name: 'let-go-of-erased', text: letGo, values: [positions] });
}
