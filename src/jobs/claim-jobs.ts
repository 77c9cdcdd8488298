import type { Pool, PoolClient } from 'pg';
import { newId, type Id } from '../events/id.ts';
import { inTransaction } from '../transaction.ts';
import type { Job, JobCursor, JobProgress, JobResult } from './job.entity.ts';

/** A job in this process's hands, as it was when it was claimed. */
export interface ClaimedJob extends Pick<Job, 'id' | 'organizationId' | 'integrationId' | 'replayId' | 'kind' | 'asked' | 'input' | 'cursor' | 'progress' | 'result' | 'attempts'> {
  claim: Id<'clm'>;
}

const isDue = `j.status in ('waiting', 'running') and j.next_attempt_at <= now() and (j.claim_expires_at is null or j.claim_expires_at < now())
  and not exists (select 1 from replays r where r.id = j.replay_id and r.paused_at is not null)`;
/** Steps of one integration follow each other: two at a time could make the same thing twice outside. */
const isAlone = `not exists (select 1 from jobs other where other.integration_id = j.integration_id and other.claim_expires_at > now())`;

const isOfOthers = (organizationIds: string): string => `j.organization_id <> all(${organizationIds}::text[])`;

const anyDue = `select 1 from jobs j where ${isDue} and ${isAlone} and ${isOfOthers('$1')} limit 1`;

/** Any number, the same in all processes. Claims follow each other: each sees the one before, as `isAlone` needs. */
const claimLock = `select pg_advisory_xact_lock(7205113009)`;

/**
 * Organisations take turns: the next job is of the one with the fewest under way, so that nobody with a thousand sheets
 * holds up who has one. Of its jobs, what somebody waits for comes before what takes hours.
 */
const claimNext = `
  with held as materialized (
    select organization_id, count(*) as count from jobs where status = 'running' and claim_expires_at > now() group by organization_id
  )
  update jobs set status = 'running', started_at = coalesce(started_at, now()),
         claimed_by = $1, claim_expires_at = now() + make_interval(secs => $2 / 1000.0)
  where id = (
    select j.id from jobs j left join held on held.organization_id = j.organization_id
    where ${isDue} and ${isAlone} and ${isOfOthers('$3')}
    order by coalesce(held.count, 0), j.kind in ('backfill', 'verify', 'replay'), j.next_attempt_at
    limit 1
    for update of j skip locked
  )
  returning id, organization_id as "organizationId", integration_id as "integrationId", replay_id as "replayId", kind, asked, input, cursor, progress, result, attempts`;

/** Claims the next job that is due, for `claimMs`, of an organisation that is not among `busy`; undefined where none is. No transaction stays open. */
export async function claimJob(pool: Pool, claimMs: number, busy: readonly Id<'org'>[] = []): Promise<ClaimedJob | undefined> {
  if ((await pool.query({ name: 'any-job-due', text: anyDue, values: [busy] })).rowCount === 0) return undefined;
  const claim = newId('clm');
  return inTransaction(pool, async (client) => {
    await client.query(claimLock);
    const { rows } = await client.query<Omit<ClaimedJob, 'claim'>>(claimNext, [claim, claimMs, busy]);
    return rows[0] && { ...rows[0], claim };
  });
}

type Held = Pick<ClaimedJob, 'id' | 'claim'>;

const renew = `
  update jobs set claim_expires_at = now() + make_interval(secs => $3 / 1000.0)
  where id = $1 and claimed_by = $2 and status = 'running'`;

/** Whether the job is still this claim's, and was not canceled. */
export async function renewClaim(pool: Pool, { id, claim }: Held, claimMs: number): Promise<boolean> {
  return (await pool.query({ name: 'renew-job', text: renew, values: [id, claim, claimMs] })).rowCount === 1;
}

/** Gives up a claim of which nothing else is to be written, also that of a job that was canceled: the next may begin. */
export async function releaseJob(pool: Pool, { id, claim }: Held): Promise<void> {
  await pool.query({ name: 'release-job', text: 'update jobs set claimed_by = null, claim_expires_at = null where id = $1 and claimed_by = $2', values: [id, claim] });
}

/** Frees every claim, for a process that knows to be the only one on this database: jobs of a killed predecessor go on at once. */
export async function freeAllJobs(pool: Pool): Promise<void> {
  await pool.query('update jobs set claimed_by = null, claim_expires_at = null where claim_expires_at > now()');
}

const hold = `select 1 from jobs where id = $1 and claimed_by = $2 and status = 'running' for update`;

/**
 * Locks the job's row for a transaction that learns only by its own work how far it brings the job. False: the claim is
 * lost, or the job was canceled, and the step must leave no trace.
 */
export async function holdJob(client: PoolClient, { id, claim }: Held): Promise<boolean> {
  return (await client.query(hold, [id, claim])).rowCount === 1;
}

/** What a step has brought a job to. */
export interface Advance {
  cursor: JobCursor | null;
  progress: JobProgress;
  result: JobResult | null;
}

const advance = `
  update jobs set cursor = $3, progress = $4, result = $5
  where id = $1 and claimed_by = $2 and status = 'running'`;

/**
 * Writes how far a job is, first in the transaction of what the step does. Its row is locked by that: who cancels the
 * job waits for the commit. False: the claim is lost, or the job was canceled, and the step must leave no trace.
 */
export async function advanceJob(client: PoolClient, { id, claim }: Held, { cursor, progress, result }: Advance): Promise<boolean> {
  const { rowCount } = await client.query(advance, [id, claim, cursor && JSON.stringify(cursor), JSON.stringify(progress), result && JSON.stringify(result)]);
  return rowCount === 1;
}

/** How a step leaves its job. */
export type Settlement =
  | { status: 'done' }
  | { status: 'failed'; reason: string }
  /** The next step comes that much later, by the database's clock. */
  | { status: 'waits'; waitMs: number; attempts: number; reason: string | null };

/** What was asked for again meanwhile runs again, with what was changed. */
const settle = `
  update jobs set
    status = case when asked > $3 then 'waiting' else $4 end,
    reason = $5, attempts = case when asked > $3 then 0 else $6 end,
    next_attempt_at = case when asked > $3 then now() else now() + make_interval(secs => $7::float8 / 1000) end,
    finished_at = case when $8 and asked = $3 then now() end,
    claimed_by = null, claim_expires_at = null
  where id = $1 and claimed_by = $2 and status = 'running'
  returning id`;

/** Writes how a step ended and gives the claim up. False: the claim was lost, and nothing is written. */
export async function settleJob(client: Pick<Pool, 'query'>, { id, claim, asked }: ClaimedJob, settlement: Settlement): Promise<boolean> {
  const { rowCount } = await client.query(settle, [id, claim, asked, ...columnsOf(settlement)]);
  return rowCount === 1;
}

/** status, reason, attempts, how long the next step waits, and whether it is finished. */
function columnsOf(settlement: Settlement): unknown[] {
  switch (settlement.status) {
    case 'done':
      return ['done', null, 0, null, true];
    case 'failed':
      return ['failed', settlement.reason, 0, null, true];
    case 'waits':
      return ['running', settlement.reason, settlement.attempts, settlement.waitMs, false];
  }
}
