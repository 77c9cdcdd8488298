import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';
import type { Process } from './process.entity.ts';

/** What a process says of itself. */
export interface ProcessFacts extends Pick<Process, 'id' | 'host' | 'pid' | 'roles' | 'version' | 'url' | 'reasons'> {
  dispatcherId: Id<'dsp'> | null;
  startedAt: Date;
}

/** How long a process counts as alive that has not said so again. */
const aliveMs = 30_000;
/** How long one that did not say goodbye is shown as gone. */
const shownMs = 3_600_000;

const beat = `
  with gone as (delete from processes where expires_at < now() - make_interval(secs => $12::float8 / 1000) and id <> $1)
  insert into processes (id, host, pid, roles, version, url, reasons, dispatcher_id, started_at, clock_ahead_ms, seen_at, expires_at)
  values ($1, $2, $3, $4, $5, $6, $7, $8, $9, extract(epoch from $10::timestamptz - clock_timestamp()) * 1000, now(), now() + make_interval(secs => $11::float8 / 1000))
  on conflict (id) do update
  set reasons = excluded.reasons, clock_ahead_ms = excluded.clock_ahead_ms, seen_at = excluded.seen_at, expires_at = excluded.expires_at`;

/** Writes down that a process is alive, by the database's clock, and forgets those that are long gone. */
export async function noteAlive(pool: Pool, facts: ProcessFacts, now: Date): Promise<void> {
  const { id, host, pid, roles, version, url, reasons, dispatcherId, startedAt } = facts;
  await pool.query({ name: 'process-alive', text: beat, values: [id, host, pid, roles, version, url, reasons, dispatcherId, startedAt, now, aliveMs, shownMs] });
}

/** A process that stops says goodbye. */
export async function noteGone(pool: Pool, id: Id<'prc'>): Promise<void> {
  await pool.query('delete from processes where id = $1', [id]);
}

/** For a process that knows to be the only one on this database: the others were killed. */
export async function forgetProcesses(pool: Pool): Promise<void> {
  await pool.query('delete from processes');
}

export interface ProcessRow extends ProcessFacts {
  clockAheadMs: number;
  isAlive: boolean;
  /** How long ago it said that it is alive. */
  seenMsAgo: number;
}

const select = `
  select id, host, pid, roles, version, url, reasons, dispatcher_id as "dispatcherId", started_at as "startedAt", clock_ahead_ms as "clockAheadMs",
         expires_at > now() as "isAlive", (extract(epoch from now() - seen_at) * 1000)::float8 as "seenMsAgo"
  from processes order by expires_at > now() desc, host, pid, id`;

/** Those that are alive, and then those that went without a goodbye in the last hour. */
export async function readProcesses(pool: Pool): Promise<ProcessRow[]> {
  return (await pool.query<ProcessRow>(select)).rows;
}
