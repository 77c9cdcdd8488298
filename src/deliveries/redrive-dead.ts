import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

/**
 * Dead deliveries of each integration whose time has come, those that were tried the least first: for each number of
 * times one range of the index, so that what is given up on for good is not looked at again and again. One that is
 * failing, paused or disabled is left until it is active: the tries would be used up on what is known to be down.
 */
const redrive = `
  with due as (
    select found.id from integrations i
    cross join lateral generate_series(0, (i.dead_redrive->>'times')::int - 1) as redriven(times)
    cross join lateral (
      select d.id from deliveries d
      where d.integration_id = i.id and d.status = 'dead' and d.redrives = redriven.times
        and d.finished_at <= now() - make_interval(secs => (i.dead_redrive->>'everyMs')::float8 / 1000)
      order by d.finished_at
      limit $1
      for update skip locked
    ) found
    where i.dead_redrive is not null and i.status = 'active' and i.deleted_at is null
    limit $2
  )
  update deliveries d
  set status = 'pending', reason = null, next_attempt_at = now(), schedule_start = d.attempts, finished_at = null,
      claimed_by = null, claim_expires_at = null,
      redelivered_at = now(), redelivered_by = 'schedule', redelivered_by_id = null, redrives = d.redrives + 1,
      job_id = case when d.replay_id is null then d.job_id end, replay_id = null, replayed_from = null
  from due where d.id = due.id
  returning d.integration_id as "integrationId"`;

const mostOfIntegration = 1_000;
const mostAtOnce = 10_000;

/**
 * Makes dead deliveries pending and due whose integration wants them tried again by now, with their retry schedule begun
 * anew: 1,000 of an integration and 10,000 of all at most. Answers how many of each integration. Several processes may
 * call it at a time.
 */
export async function redriveDead(pool: Pool): Promise<Map<Id<'intg'>, number>> {
  const { rows } = await pool.query<{ integrationId: Id<'intg'> }>({ name: 'redrive-dead', text: redrive, values: [mostOfIntegration, mostAtOnce] });
  return new Map([...Map.groupBy(rows, (row) => row.integrationId)].map(([id, ofOne]) => [id, ofOne.length]));
}
