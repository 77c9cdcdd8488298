import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

const undispatched = `
  select o.position::float8 as position from outbox o
  where o.form_id = $1 and o.position < $2
    and not exists (select 1 from deliveries d where d.event_id = o.event_id and d.integration_id = $3)
  order by o.position limit 1000`;

/** Positions of earlier events of the form for which nothing is recorded for this integration yet. */
export async function earlierUndispatched(
  pool: Pool,
  event: { formId: Id<'form'>; position: number; integrationId: Id<'intg'> },
): Promise<number[]> {
  const { rows } = await pool.query<{ position: number }>({
    name: 'earlier-undispatched',
    text: undispatched,
    values: [event.formId, event.position, event.integrationId],
  });
  return rows.map((row) => row.position);
}

const recorded = `
  select event.id as "eventId", exists (select 1 from outbox o where o.position = event.position and o.event_id = event.id) as "isOpen",
         coalesce((select array_agg(d.integration_id) from deliveries d where d.event_id = event.id), '{}') as "integrationIds"
  from unnest($1::text[], $2::bigint[]) as event(id, position)`;

export interface RecordedDispatch {
  eventId: Id<'evt'>;
  /** Whether the outbox row is still here, that is: an outcome is missing. */
  isOpen: boolean;
  /** The integrations whose outcome is recorded. */
  integrationIds: Id<'intg'>[];
}

/** What is recorded of events that may have been dispatched before. */
export async function findRecorded(pool: Pool, events: readonly { id: Id<'evt'>; position: number }[]): Promise<RecordedDispatch[]> {
  const { rows } = await pool.query<RecordedDispatch>({
    name: 'find-recorded',
    text: recorded,
    values: [events.map((event) => event.id), events.map((event) => event.position)],
  });
  return rows;
}

const oldest = `
  select o.created_at as "createdAt" from outbox o
  where substr(encode(sha256(o.form_id::bytea), 'hex'), 1, 1) = $1
  order by o.position limit 1`;

/** When the oldest event of a partition was accepted whose dispatch is not recorded. Reads the outbox from its start. */
export async function oldestUndispatched(pool: Pool, partition: number): Promise<Date | undefined> {
  const { rows } = await pool.query<{ createdAt: Date }>({ name: 'oldest-undispatched', text: oldest, values: [partition.toString(16)] });
  return rows[0]?.createdAt;
}
