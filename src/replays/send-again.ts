import type { PoolClient } from 'pg';
import type { AcceptedEvent } from '../completeness/account.ts';
import { partitionOf } from '../events/event.ts';
import { newId, type Id } from '../events/id.ts';
import type { ReplayMode } from './replay-task.ts';

/** Whoever erases a response locks its first revision: it waits for this commit, or its events are left out below. */
const lockFamilies = `
  select 1 from responses where id in (select family_id from responses where id = any($1)) order by id for key share`;

const notErased = (table: string): string =>
  `(${table}.event_type = 'response.deleted' or exists (select 1 from responses r where r.id = ${table}.response_id and r.erased_at is null))`;

/** Rows are taken in the order of their ids, as those who redeliver do. What has changed since it was looked at is left. */
const restart = `
  with chosen as (
    select d.id from deliveries d
    where d.event_id = any($1) and d.integration_id = $2 and d.status = any($3) and ${notErased('d')}
    order by d.id
    for update
  )
  update deliveries d
  set status = 'pending', reason = 'Waits for its turn.', next_attempt_at = now(), schedule_start = d.attempts, finished_at = null,
      claimed_by = null, claim_expires_at = null, job_id = $4, replay_id = $5, replayed_from = d.status, redrives = 0
  from chosen where d.id = chosen.id
  returning d.event_id`;

/** What is back in the outbox is on its way by that. */
const insert = `
  insert into deliveries (
    id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition,
    status, reason, attempts, next_attempt_at, created_at, job_id, replay_id
  )
  select input.id, input.event_id, input.event_type, input.position, $6, $7, input.response_id, $8, $9,
         'pending', 'Waits for its turn.', 0, now(), now(), $10, $11
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[]) as input(id, event_id, event_type, position, response_id)
  where ${notErased('input')} and not exists (select 1 from outbox o where o.position = input.position)
  on conflict do nothing`;

/**
 * Makes deliveries of events to an integration pending and due: those that have ended, with their retry schedule begun
 * anew, and those that were never recorded. A delivery keeps its id and its event, and so its `webhook-id` and, since
 * an event is always rendered to the same bytes, its body. Answers how many are to be sent.
 */
export async function sendAgain(
  client: PoolClient,
  sent: { events: readonly AcceptedEvent[]; integrationId: Id<'intg'>; mode: ReplayMode; jobId: Id<'job'>; replayId: Id<'rpl'> },
): Promise<number> {
  const { events, integrationId, mode, jobId, replayId } = sent;
  const [first] = events;
  if (!first) return 0;
  await client.query(lockFamilies, [events.map(({ responseId }) => responseId)]);
  const statuses = mode === 'everything' ? ['dead', 'delivered'] : ['dead'];
  const restarted = await client.query(restart, [events.map(({ id }) => id), integrationId, statuses, jobId, replayId]);
  const unrecorded = events.filter(({ recorded }) => !recorded.some((one) => one.integrationId === integrationId));
  const { organizationId, formId } = first;
  const inserted = await client.query(insert, [
    unrecorded.map(() => newId('dlv')),
    unrecorded.map(({ id }) => id),
    unrecorded.map(({ type }) => type),
    unrecorded.map(({ position }) => position),
    unrecorded.map(({ responseId }) => responseId),
    organizationId, formId, integrationId, partitionOf(formId), jobId, replayId,
  ]);
  return (restarted.rowCount ?? 0) + (inserted.rowCount ?? 0);
}
