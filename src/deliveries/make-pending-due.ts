import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

const makeSomeDue = `
  update deliveries set next_attempt_at = now()
  where id in (
    select id from deliveries
    where integration_id = $1 and status = 'pending' and (next_attempt_at is null or next_attempt_at > now())
    limit 5000 for update skip locked
  )`;

/**
 * Lets everything that waits for an integration be tried now, some thousands at a time so that no lock is held for
 * long. What a dispatcher is writing down at this moment is left alone: it is being tried already.
 */
export async function makePendingDue(pool: Pool, integrationId: Id<'intg'>): Promise<void> {
  for (;;) {
    const { rowCount } = await pool.query({ name: 'make-pending-due', text: makeSomeDue, values: [integrationId] });
    if (!rowCount) return;
  }
}
