import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

const cancelSome = `
  update deliveries set status = 'canceled', reason = 'The integration was deleted.', next_attempt_at = null,
         claimed_by = null, claim_expires_at = null, finished_at = now()
  where id in (
    select id from deliveries where integration_id = any($1) and status = 'pending' limit 5000 for update skip locked
  )`;

const maxRounds = 4;

/**
 * Ends what deleted integrations have left pending, some thousands at a time so that no lock is held for long. A
 * longer backlog is ended by further calls: a dispatcher makes one at every round while there is any.
 */
export async function cancelPending(pool: Pool, integrationIds: readonly Id<'intg'>[]): Promise<void> {
  for (let round = 0; round < maxRounds; round += 1) {
    const { rowCount } = await pool.query({ name: 'cancel-pending', text: cancelSome, values: [integrationIds] });
    if (!rowCount) return;
  }
}
