import type { Pool } from 'pg';
import { formsIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, trusted, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { JobStatus } from '../jobs/job.entity.ts';
import { replayStatus, type ReplayStatus } from './replay-status.ts';
import type { Replay } from './replay.entity.ts';

/** A replay as those see it who may, with how far its parts are. */
export interface ReplayRow extends Pick<Replay, 'id' | 'formId' | 'task' | 'sendSms' | 'total' | 'actions' | 'createdAt'> {
  status: ReplayStatus;
  jobIds: Id<'job'>[];
  /** Deliveries that it has sent again so far, of `total`; what of them is not in the three counts is delivered. */
  made: number;
  pending: number;
  dead: number;
  canceled: number;
  /** Why a part of it waits or was given up. */
  reason: string | null;
  finishedAt: Date | null;
}

type StoredRow = Omit<ReplayRow, 'status'> & { isPaused: boolean; isCanceled: boolean; parts: JobStatus[] };

const columns = trusted(`
  p.id, p.form_id as "formId", p.task, p.send_sms as "sendSms", p.total, p.actions, p.created_at as "createdAt",
  p.paused_at is not null as "isPaused", p.canceled_at is not null as "isCanceled", jobs.*`);

/** What is counted is over an index that has no delivered ones: as quick for millions. */
const withParts = trusted(`
  cross join lateral (
    select coalesce(json_agg(j.id order by j.id), '[]') as "jobIds", coalesce(json_agg(j.status order by j.id), '[]') as parts,
           coalesce(sum((j.progress->>'made')::int), 0)::int as made,
           coalesce(sum(counts.pending), 0)::int as pending, coalesce(sum(counts.dead), 0)::int as dead, coalesce(sum(counts.canceled), 0)::int as canceled,
           min(j.reason) as reason,
           case when bool_and(j.finished_at is not null) then max(j.finished_at) end as "finishedAt"
    from jobs j
    cross join lateral (
      select count(*) filter (where d.status = 'pending') as pending, count(*) filter (where d.status = 'dead') as dead,
             count(*) filter (where d.status = 'canceled') as canceled
      from deliveries d where d.job_id = j.id and d.status <> 'delivered'
    ) counts
    where j.replay_id = p.id
  ) jobs`);

const select = (reach: Reach, conditions: readonly (Sql | undefined)[], rest: Sql): Sql => sql`
  select ${columns} from replays p join forms f on f.id = p.form_id ${withParts}
  where ${formsIn(reach)} and ${allOf(conditions)} ${rest}`;

async function read(pool: Pool, query: Sql): Promise<ReplayRow[]> {
  const { rows } = await pool.query<StoredRow>(query.toQuery());
  return rows.map(({ isPaused, isCanceled, parts, ...row }) => ({ ...row, status: replayStatus({ isPaused, isCanceled, parts }) }));
}

/** The replays of these ids within reach. */
export async function readReplays(pool: Pool, { reach, ids }: { reach: Reach; ids: readonly Id<'rpl'>[] }): Promise<Map<Id<'rpl'>, ReplayRow>> {
  return new Map((await read(pool, select(reach, [sql`p.id = any(${ids})`], sql``))).map((row) => [row.id, row]));
}

/** Replays, of a form, in the order of their ids, which is that of their start. */
export function pageOfReplays(pool: Pool, { reach, formId, range }: { reach: Reach; formId?: Id<'form'> | undefined; range: KeysetRange }): Promise<ReplayRow[]> {
  const conditions = [
    formId ? sql`p.form_id = ${formId}` : undefined,
    range.after === undefined ? undefined : sql`p.id > ${range.after}`,
    range.before === undefined ? undefined : sql`p.id < ${range.before}`,
  ];
  return read(pool, select(reach, conditions, sql`order by p.id ${trusted(range.reversed ? 'desc' : 'asc')} limit ${range.limit}`));
}
