import type { Pool } from 'pg';
import { sql, trusted } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { Job } from './job.entity.ts';

/** A job as those see it who may, with what became of its deliveries; those that it made and are not counted here are delivered. */
export interface JobRow extends Pick<Job, 'id' | 'integrationId' | 'kind' | 'status' | 'reason' | 'progress' | 'createdAt' | 'nextAttemptAt'> {
  result: NonNullable<Job['result']> | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  pending: number;
  dead: number;
  canceled: number;
}

const columns = trusted(`
  j.id, j.integration_id as "integrationId", j.kind, j.status, j.reason, j.progress, j.result, j.created_at as "createdAt",
  j.next_attempt_at as "nextAttemptAt", j.started_at as "startedAt", j.finished_at as "finishedAt",
  coalesce(counts.pending, 0) as pending, coalesce(counts.dead, 0) as dead, coalesce(counts.canceled, 0) as canceled`);

/** Over an index that has no delivered ones: as quick for a job of millions. */
const counted = trusted(`
  left join lateral (
    select count(*) filter (where d.status = 'pending')::int as pending, count(*) filter (where d.status = 'dead')::int as dead,
           count(*) filter (where d.status = 'canceled')::int as canceled
    from deliveries d where d.job_id = j.id and d.status <> 'delivered'
  ) counts on j.kind in ('backfill', 'verify', 'replay')`);

interface Of {
  organizationId: Id<'org'>;
}

/** The organisation's jobs of these ids. */
export async function readJobs(pool: Pool, { organizationId, ids }: Of & { ids: readonly Id<'job'>[] }): Promise<Map<Id<'job'>, JobRow>> {
  const query = sql`select ${columns} from jobs j ${counted} where j.id = any(${ids}) and j.organization_id = ${organizationId}`;
  const { rows } = await pool.query<JobRow>(query.toQuery());
  return new Map(rows.map((row) => [row.id, row]));
}

/** As many as an integration shows. */
export const maxShown = 20;

/** The newest jobs of each of the organisation's integrations, newest first. */
export async function jobsOfIntegrations(pool: Pool, { organizationId, integrationIds }: Of & { integrationIds: readonly Id<'intg'>[] }): Promise<Map<Id<'intg'>, JobRow[]>> {
  const query = sql`
    select ${columns}
    from unnest(${integrationIds}::text[]) as wanted(id)
    cross join lateral (
      select * from jobs n where n.integration_id = wanted.id and n.organization_id = ${organizationId} order by n.id desc limit ${maxShown}
    ) j ${counted}
    order by j.id desc`;
  const { rows } = await pool.query<JobRow>(query.toQuery());
  return Map.groupBy(rows, (row) => row.integrationId);
}
