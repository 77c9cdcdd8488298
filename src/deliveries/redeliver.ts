import type { Pool } from 'pg';
import { deliveriesIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Redeliverer } from './delivery.entity.ts';
import { filterConditions, type DeliveryFilter } from './delivery-rows.ts';

export const maxRedeliveredByIds = 1_000;
export const maxRedeliveredByFilter = 10_000;

export interface RedeliverFilter extends Omit<DeliveryFilter, 'responseId'> {
  formId?: string | null | undefined;
}

/** Who redelivers, for the delivery to tell. */
export interface By {
  by: Redeliverer;
  /** The member, or who made the key; null: nobody of the organisation. */
  userId: Id<'usr'> | null;
}

export const byViewer = ({ userId, credential }: Viewer): By => ({ by: credential.kind === 'key' ? 'key' : 'member', userId });

/** There is nothing to send any more, but for the word that there is not. */
const isErased = sql`
  (d.event_type <> 'response.deleted' and exists (select 1 from responses r where r.id = d.response_id and r.erased_at is not null))`;

/** A dispatcher is at it now: it is being sent already, and a second sender would make a duplicate. */
const isBeingTried = sql`d.status = 'pending' and coalesce(d.claim_expires_at > now(), false)`;

/**
 * Makes chosen deliveries pending and due, with their retry schedule begun anew, and takes them out of a replay. Rows are taken in the order of their
 * ids, so that two calls never wait for each other; none that a dispatcher may be writing down at the same time.
 */
const restart = (reach: Reach, { condition, limit, by }: { condition: Sql; limit: number; by: By }): Sql => sql`
  with chosen as (
    select d.id from deliveries d
    join integrations i on i.id = d.integration_id and i.deleted_at is null
    where ${deliveriesIn(reach)} and d.status <> 'canceled' and not (${isBeingTried}) and not ${isErased} and ${condition}
    order by d.id
    limit ${limit}
    for update of d
  )
  update deliveries d
  set status = 'pending', reason = null, next_attempt_at = now(), schedule_start = d.attempts, finished_at = null,
      claimed_by = null, claim_expires_at = null,
      redelivered_at = now(), redelivered_by = ${by.by}, redelivered_by_id = ${by.userId}, redrives = 0,
      job_id = case when d.replay_id is null then d.job_id end, replay_id = null, replayed_from = null
  from chosen where d.id = chosen.id
  returning d.id, d.form_id as "formId"`;

/** What became of deliveries that were asked for by id. */
export interface RedeliveredByIds {
  /** Sent again, or being sent at this moment. */
  redelivered: Id<'dlv'>[];
  /** Their integration is deleted: there is nobody to send them to. */
  withoutIntegration: Id<'dlv'>[];
  /** Their response is erased: there is nothing to send. */
  withoutResponse: Id<'dlv'>[];
  /** Whose deliveries were changed. */
  formIds: Set<Id<'form'>>;
}

/** A delivery that is pending anew. */
interface Restarted {
  id: Id<'dlv'>;
  formId: Id<'form'>;
}

const formsOf = (restarted: readonly Restarted[]): Set<Id<'form'>> => new Set(restarted.map(({ formId }) => formId));

/** Redelivers what of these ids is within reach. An id in no list is not. */
export async function redeliverByIds(pool: Pool, key: { reach: Reach; ids: readonly Id<'dlv'>[]; by: By }): Promise<RedeliveredByIds> {
  const { reach, ids, by } = key;
  const update = restart(reach, { condition: sql`d.id = any(${ids})`, limit: ids.length, by });
  const restarted = await pool.query<Restarted>(update.toQuery());
  const done = new Set(restarted.rows.map((row) => row.id));
  const others = sql`
    select d.id, case when ${isErased} then 'erased' when ${isBeingTried} then 'being tried' else 'refused' end as kind from deliveries d
    where ${deliveriesIn(reach)} and d.id = any(${ids.filter((id) => !done.has(id))})`;
  const { rows } = await pool.query<{ id: Id<'dlv'>; kind: 'erased' | 'being tried' | 'refused' }>(others.toQuery());
  const idsOf = (kind: string): Id<'dlv'>[] => rows.filter((row) => row.kind === kind).map((row) => row.id);
  return { redelivered: [...done, ...idsOf('being tried')], withoutIntegration: idsOf('refused'), withoutResponse: idsOf('erased'), formIds: formsOf(restarted.rows) };
}

/**
 * Redelivers what a filter finds, oldest first, up to 10,000; dead ones unless it names a status. Pending ones that are
 * due already are not found. `hasMore`: it should be called again, `after` the last of these, since what is rejected at
 * once is dead again by then.
 */
export async function redeliverByFilter(
  pool: Pool,
  key: { reach: Reach; filter: RedeliverFilter; after?: Id<'dlv'> | undefined; by: By },
): Promise<{ redelivered: Id<'dlv'>[]; hasMore: boolean; formIds: Set<Id<'form'>> }> {
  const { reach, filter, after, by } = key;
  const status = filter.status ?? 'dead';
  const condition = allOf([
    filter.formId ? sql`d.form_id = ${filter.formId}` : undefined,
    after ? sql`d.id > ${after}` : undefined,
    status === 'pending' ? sql`(d.next_attempt_at is null or d.next_attempt_at > now())` : undefined,
    ...filterConditions({ ...filter, status }),
  ]);
  const update = restart(reach, { condition, limit: maxRedeliveredByFilter, by });
  const { rows } = await pool.query<Restarted>(update.toQuery());
  return { redelivered: rows.map((row) => row.id).toSorted(), hasMore: rows.length === maxRedeliveredByFilter, formIds: formsOf(rows) };
}
