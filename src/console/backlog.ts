import type { Pool } from 'pg';
import { notServed } from '../deliveries/not-served.ts';
import { joinReplay, pendingSince } from '../deliveries/pending-since.ts';
import type { Id } from '../events/id.ts';
import type { IntegrationStatus } from '../integrations/integration.entity.ts';

/** What an integration has not got. */
export interface Backlog {
  integrationId: Id<'intg'>;
  name: string;
  provider: string;
  organization: string;
  status: IntegrationStatus;
  statusReason: string | null;
  /** It is not paused or disabled, and no dispatcher serves it: why, as they last said. Stays until what waited is tried. */
  notServed: string | null;
  pending: number;
  /** Of the pending ones, those that wait for longer than the limit. */
  late: number;
  /** Since when the first of them waits. */
  oldestPendingAt: Date | null;
  dead: number;
  lastDeadAt: Date | null;
}

const select = `
  with waiting as (
    select d.integration_id, count(*)::int as pending, min(${pendingSince}) as oldest,
           count(*) filter (where ${pendingSince} < now() - make_interval(secs => $1 / 1000.0))::int as late,
           max(d.position) filter (where d.next_attempt_at is null and starts_with(d.reason, $2)) as not_served
    from deliveries d ${joinReplay} where d.status = 'pending' group by d.integration_id
  ), gone as (
    select integration_id, count(*)::int as dead, max(finished_at) as last from deliveries where status = 'dead' group by integration_id
  )
  select i.id as "integrationId", i.name, i.provider, o.name as organization, i.status, i.status_reason as "statusReason",
         case when i.status in ('active', 'failing') then (
           select substr(reason, length($2) + 2) from deliveries d
           where d.integration_id = i.id and d.position = waiting.not_served and d.status = 'pending' limit 1
         ) end as "notServed",
         coalesce(waiting.pending, 0) as pending, coalesce(waiting.late, 0) as late, waiting.oldest as "oldestPendingAt",
         coalesce(gone.dead, 0) as dead, gone.last as "lastDeadAt"
  from waiting
  full join gone using (integration_id)
  join integrations i on i.id = integration_id
  join organizations o on o.id = i.organization_id
  order by late desc, dead desc, pending desc, i.id`;

/** Every integration with pending or dead deliveries, the worst first. Reads the indexes of these alone. */
export async function readBacklog(pool: Pool, { lateMs }: { lateMs: number }): Promise<Backlog[]> {
  const { rows } = await pool.query<Backlog>(select, [lateMs, notServed]);
  return rows;
}
