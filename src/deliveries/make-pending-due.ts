import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

const batchSize = 5_000;
/** About a second of updates, for which a mutation may wait. */
const maxBatches = 4;

const makeSomeDue = `
  update deliveries set next_attempt_at = now()
  where id in (
    select id from deliveries
    where integration_id = $1 and status = 'pending' and (next_attempt_at is null or next_attempt_at > now())
    limit ${batchSize} for update skip locked
  )`;

/**
 * Lets what waits for an integration be tried now, 20,000 of them at most, in batches so that no lock is held for long.
 * The dispatcher itself takes up a longer backlog when it learns that the integration was changed; this makes the log
 * say so. What a dispatcher is writing down at this moment is left alone: it is being tried already.
 */
export async function makePendingDue(pool: Pool, integrationId: Id<'intg'>): Promise<void> {
  for (let batch = 0; batch < maxBatches; batch += 1) {
    const { rowCount } = await pool.query({ name: 'make-pending-due', text: makeSomeDue, values: [integrationId] });
    if ((rowCount ?? 0) < batchSize) return;
  }
}
