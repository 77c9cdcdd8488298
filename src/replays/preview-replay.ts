import type { Reach } from '../accounts/reach.ts';
import { formsIn } from '../accounts/reach.ts';
import { sql } from '../bound-sql.ts';
import { placesBetween } from '../completeness/places-between.ts';
import { planReplay, type PlanDeps, type ReplayPlan } from './plan-replay.ts';
import { noForm, readRequest, type ReplayRequest } from './read-request.ts';

/** Shows what a replay would send, by what is recorded now; writes nothing. Throws UserError. */
export async function previewReplay(deps: PlanDeps, { reach, request, now }: { reach: Reach; request: ReplayRequest; now: Date }): Promise<ReplayPlan> {
  const task = readRequest(request, now);
  const { rowCount } = await deps.reads.query(sql`select 1 from forms f where f.id = ${task.formId} and f.deleted_at is null and ${formsIn(reach)}`.toQuery());
  if (rowCount === 0) throw noForm();
  const places = await placesBetween(deps.pool, { since: new Date(task.since), until: new Date(task.until) });
  const bounded = { ...task, after: Math.max(task.after, places.after), through: Math.min(task.through, places.through) };
  return planReplay(deps, { reach, task: bounded, integrationIds: request.integrationIds ?? undefined });
}
