import { setTimeout as sleep } from 'node:timers/promises';
import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

const cancelSome = `
  update deliveries set status = 'canceled', reason = 'The integration was deleted.', next_attempt_at = null,
         claimed_by = null, claim_expires_at = null, finished_at = now()
  where id in (
    select id from deliveries where integration_id = any($1) and status = 'pending' limit 5000 for update skip locked
  )`;

/**
 * What a replay sends again goes back to what it was; what it alone has made is dead, for it was due, and can be sent
 * again. Few at a time: see `aheadOf`. What a dispatcher is writing down at this moment is met in the next round.
 */
const cancelOfJob = `
  with canceled as (
    update deliveries
    set status = coalesce(replayed_from, case when replay_id is null then 'canceled' else 'dead' end),
        reason = case when replayed_from = 'delivered' then null when replay_id is null then 'The job that made it was canceled.' else 'The replay that was to send it was canceled.' end,
        finished_at = case when replayed_from is null then now() else coalesce(last_attempt_at, now()) end,
        next_attempt_at = null, claimed_by = null, claim_expires_at = null
    where id in (select id from deliveries where job_id = $1 and status = 'pending' for update skip locked)
    returning id
  )
  select (select count(*) from deliveries where job_id = $1 and status = 'pending') > (select count(*) from canceled) as "areLeft"`;

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

const maxRoundsOfJob = 20;

/** Ends what a canceled job has left pending. */
export async function cancelPendingOfJob(pool: Pool, jobId: Id<'job'>): Promise<void> {
  for (let round = 0; round < maxRoundsOfJob; round += 1) {
    const { rows } = await pool.query<{ areLeft: boolean }>({ name: 'cancel-of-job', text: cancelOfJob, values: [jobId] });
    if (!rows[0]?.areLeft) return;
    await sleep(50);
  }
}
