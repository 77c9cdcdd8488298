import type { Pool } from 'pg';
import { deliveriesIn, formsIn, type Reach } from '../accounts/reach.ts';
import { sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';

/**
 * queued: on its way to the dispatcher · pending: not everything is delivered yet · delivered: everything is, except
 * what was canceled · dead: nothing is pending, something was given up on · none: there is nothing to deliver
 */
export const pipelineStatuses = ['queued', 'pending', 'delivered', 'dead', 'none'] as const;
export type PipelineStatus = (typeof pipelineStatuses)[number];

/** How the deliveries of one response stand. */
export interface PipelineCounts {
  /** Whether an event of it is not dispatched to every integration yet: more deliveries may come. */
  isQueued: boolean;
  delivered: number;
  pending: number;
  dead: number;
  canceled: number;
  /** When the last of them ended. */
  lastFinishedAt: Date | null;
}

/** The first that applies. */
export function pipelineStatus({ isQueued, delivered, pending, dead }: PipelineCounts): PipelineStatus {
  if (isQueued) return 'queued';
  if (pending > 0) return 'pending';
  if (dead > 0) return 'dead';
  return delivered > 0 ? 'delivered' : 'none';
}

const selectCounts = (reach: Reach, responseIds: readonly Id<'resp'>[]): Sql => sql`
  with owned as (
    select r.id, r.form_id from responses r
    join forms f on f.id = r.form_id and ${formsIn(reach)}
    where r.id = any(${responseIds})
  ), queued as (
    select distinct o.response_id as id from outbox o
    where o.form_id in (select form_id from owned) and o.response_id = any(${responseIds})
  )
  select owned.id, queued.id is not null as "isQueued",
         count(*) filter (where d.status = 'delivered')::int as delivered,
         count(*) filter (where d.status = 'pending')::int as pending,
         count(*) filter (where d.status = 'dead')::int as dead,
         count(*) filter (where d.status = 'canceled')::int as canceled,
         max(d.finished_at) as "lastFinishedAt"
  from owned
  left join queued on queued.id = owned.id
  left join deliveries d on d.response_id = owned.id and ${deliveriesIn(reach)}
  group by owned.id, queued.id`;

/** How each response to a form within reach stands, by the deliveries within reach, in one look; another response has no entry. */
export async function countPipelines(
  pool: Pool,
  key: { reach: Reach; responseIds: readonly Id<'resp'>[] },
): Promise<Map<Id<'resp'>, PipelineCounts>> {
  const { rows } = await pool.query<PipelineCounts & { id: Id<'resp'> }>(selectCounts(key.reach, key.responseIds).toQuery());
  return new Map(rows.map(({ id, ...counts }) => [id, counts]));
}
