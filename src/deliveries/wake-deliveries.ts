import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

/** What is being tried at this moment stays with that attempt. */
const statement = `
  update deliveries set next_attempt_at = now()
  where event_id = any($2) and integration_id = $1 and status = 'pending' and (next_attempt_at is null or next_attempt_at > now())`;

/** Lets pending deliveries of these events be tried at once; answers how many were waiting. */
export async function wakeDeliveries(pool: Pool, { integrationId, eventIds }: { integrationId: Id<'intg'>; eventIds: readonly Id<'evt'>[] }): Promise<number> {
  if (eventIds.length === 0) return 0;
  const { rowCount } = await pool.query({ name: 'wake-deliveries', text: statement, values: [integrationId, eventIds] });
  return rowCount ?? 0;
}
