import type { Pool, PoolClient } from 'pg';
import { cancelPendingOfJob } from '../deliveries/cancel-pending.ts';
import { newId, type Id } from '../events/id.ts';
import { inTransaction } from '../transaction.ts';
import { UserError } from '../user-error.ts';
import type { ReplayAction, ReplayActor } from './replay.entity.ts';
import { replayStatus, type ReplayStatus } from './replay-status.ts';
import type { Previewed } from './token.ts';

/** Who does something with a replay, for it to tell. */
export interface ActsBy {
  by: ReplayActor;
  userId: Id<'usr'> | null;
}

const actionOf = (action: ReplayAction['action'], { by, userId }: ActsBy): ReplayAction => ({ action, by, userId, at: new Date().toISOString() });

const insertReplay = `
  insert into replays (id, organization_id, form_id, task, send_sms, total, actions, created_at)
  select $1, f.organization_id, f.id, $3, $4, $5, $6, now() from forms f where f.id = $2
  on conflict do nothing`;

/**
 * The integrations' rows are locked: whoever deletes one ends its job, or it is not there any more for this. Nothing of
 * one that has an unfinished replay.
 */
const insertJobs = `
  insert into jobs (id, organization_id, integration_id, replay_id, kind, status, asked, input, progress, attempts, next_attempt_at, created_at)
  select input.id, i.organization_id, i.id, $3, 'replay', 'waiting', 1, $4, $5, 0, now(), now()
  from unnest($1::text[], $2::text[]) as input(id, integration_id)
  join (select id, organization_id from integrations where id = any($2) and deleted_at is null order by id for key share) i on i.id = input.integration_id
  on conflict (integration_id, kind) where status in ('waiting', 'running') do nothing
  returning integration_id as "integrationId"`;

/**
 * Starts what a preview has shown, once: another start of the same preview changes nothing. All integrations or none.
 * Throws UserError where one was deleted meanwhile, or has another replay that is not finished.
 */
export async function startReplay(pool: Pool, { previewed, sendSms, acts }: { previewed: Previewed; sendSms: boolean; acts: ActsBy }): Promise<void> {
  const { replayId, task, events } = previewed;
  const chosen = previewed.endpoints.filter(({ count, reachesPeople }) => count > 0 && (sendSms || !reachesPeople));
  await inTransaction(pool, async (client) => {
    const total = chosen.reduce((sum, { count }) => sum + count, 0);
    const { rowCount } = await client.query(insertReplay, [replayId, task.formId, JSON.stringify(task), sendSms, total, JSON.stringify([actionOf('started', acts)])]);
    if (rowCount === 0) return;
    if (chosen.length === 0) throw new UserError('INVALID_INPUT', whyNothing(previewed), ['token']);
    const ids = chosen.map(({ integrationId }) => integrationId);
    const progress = { total: events, done: 0, made: 0 };
    const { rows } = await client.query<{ integrationId: Id<'intg'> }>(insertJobs, [ids.map(() => newId('job')), ids, replayId, JSON.stringify({ replay: task }), JSON.stringify(progress)]);
    const refused = ids.find((id) => !rows.some(({ integrationId }) => integrationId === id));
    if (refused) throw new UserError('TOO_MANY', `To ${refused} nothing can be replayed now: another replay to it is not finished, or it was deleted. Preview again without it, or later.`, ['token']);
  });
}

const whyNothing = ({ endpoints }: Previewed): string =>
  endpoints.some(({ count }) => count > 0) ? 'All of this are messages to people: they are sent again only with `sendSms`.' : 'There is nothing to send again.';

/** Beyond it the row would grow without an end. */
const maxActions = 200;

type Change = 'paused' | 'resumed' | 'canceled';
const allowed: Record<Change, readonly ReplayStatus[]> = { paused: ['running'], resumed: ['paused'], canceled: ['running', 'paused'] };
const effects: Record<Change, string> = { paused: 'paused_at = now()', resumed: 'paused_at = null', canceled: 'canceled_at = now()' };

/** A step that makes deliveries holds the row until its commit: after the change no more are made. */
const lock = `
  select p.paused_at is not null as "isPaused", p.canceled_at is not null as "isCanceled", jsonb_array_length(p.actions) as actions,
         coalesce((select json_agg(j.status) from jobs j where j.replay_id = p.id), '[]') as parts
  from replays p where p.id = $1 for update`;

/** In the order of the steps: the replay's row, then its jobs'. */
const cancelJobs = `
  update jobs set status = 'canceled', next_attempt_at = null, finished_at = now()
  where replay_id = $1 and status in ('waiting', 'running')
  returning id`;

/**
 * Pauses, resumes or cancels a replay. A paused one makes nothing more; what it has pending goes out. Canceling ends
 * that too, and what is not delivered again by then is as it was before. Throws UserError where it is not in the state for it.
 */
export async function changeReplay(pool: Pool, { replayId, change, acts }: { replayId: Id<'rpl'>; change: Change; acts: ActsBy }): Promise<void> {
  const canceled = await inTransaction(pool, (client) => write(client, { replayId, change, acts }));
  for (const jobId of canceled) await cancelPendingOfJob(pool, jobId);
}

async function write(client: PoolClient, { replayId, change, acts }: { replayId: Id<'rpl'>; change: Change; acts: ActsBy }): Promise<Id<'job'>[]> {
  const { rows: [row] } = await client.query<Parameters<typeof replayStatus>[0] & { actions: number }>(lock, [replayId]);
  if (!row) throw noReplay();
  const status = replayStatus(row);
  if (!allowed[change].includes(status)) throw new UserError('INVALID_INPUT', `This replay cannot be ${change}: it is ${status}.`, ['id']);
  if (row.actions >= maxActions && change !== 'canceled') throw new UserError('TOO_MANY', `A replay can be paused and resumed ${maxActions} times; cancel it, and preview another one.`, ['id']);
  await client.query(`update replays set ${effects[change]}, actions = actions || $2 where id = $1`, [replayId, JSON.stringify(actionOf(change, acts))]);
  if (change !== 'canceled') return [];
  return (await client.query<{ id: Id<'job'> }>(cancelJobs, [replayId])).rows.map(({ id }) => id);
}

export const noReplay = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no replay with this id.', ['id']);
