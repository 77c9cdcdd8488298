import type { Pool, PoolClient } from 'pg';
import type { MissingDelivery } from './reconcile.ts';

const insert = `
  insert into missing_deliveries (event_id, integration_id, form_id, response_id, position, found_at)
  select input.*, now() from unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::bigint[]) as input
  on conflict do nothing
  returning event_id as "eventId"`;

/** Notes deliveries that are missing; answers how many were not known. */
export async function noteMissing(client: PoolClient, missing: readonly MissingDelivery[]): Promise<number> {
  if (missing.length === 0) return 0;
  const { rowCount } = await client.query(insert, [
    missing.map(({ event }) => event.id),
    missing.map(({ integrationId }) => integrationId),
    missing.map(({ event }) => event.formId),
    missing.map(({ event }) => event.responseId),
    missing.map(({ event }) => event.position),
  ]);
  return rowCount ?? 0;
}

/** Each of these ends it: it is recorded, on its way again, owed to nobody any more, or there is nothing to send. */
const forget = `
  delete from missing_deliveries where (event_id, integration_id) in (
    select m.event_id, m.integration_id from missing_deliveries m
    where exists (select 1 from deliveries d where d.event_id = m.event_id and d.integration_id = m.integration_id)
       or exists (select 1 from outbox o where o.position = m.position)
       or exists (select 1 from integrations i where i.id = m.integration_id and i.deleted_at is not null)
       or exists (select 1 from responses r where r.id = m.response_id and r.erased_at is not null)
    limit 5000
  )`;

/** Forgets what is missing no more, some thousands at a time. */
export async function forgetFound(pool: Pool): Promise<void> {
  await pool.query(forget);
}

/** How the check in the background stands. */
export interface CompletenessState {
  /** Deliveries that are missing now: 0, or something is broken. */
  missing: number;
  /** When the check last looked; null: never yet. */
  checkedAt: Date | null;
}

/** For metrics and for people. */
export async function readCompleteness(pool: Pool): Promise<CompletenessState> {
  const { rows } = await pool.query<CompletenessState>(
    'select (select count(*)::int from missing_deliveries) as missing, (select max(walked_at) from completeness_walks) as "checkedAt"',
  );
  return rows[0] ?? { missing: 0, checkedAt: null };
}
