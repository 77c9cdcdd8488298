import type { Pool } from 'pg';
import { deliveriesIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import { filterConditions, type DeliveryFilter } from './delivery-rows.ts';

export const maxRedeliveredByIds = 1_000;
export const maxRedeliveredByFilter = 10_000;

export interface RedeliverFilter extends Omit<DeliveryFilter, 'responseId'> {
  formId?: string | null | undefined;
}

/** A dispatcher is at it now: it is being sent already, and a second sender would make a duplicate. */
const isBeingTried = sql`d.status = 'pending' and coalesce(d.claim_expires_at > now(), false)`;

/**
 * Makes chosen deliveries pending and due, with their retry schedule begun anew. Rows are taken in the order of their
 * ids, so that two calls never wait for each other; none that a dispatcher may be writing down at the same time.
 */
const restart = (reach: Reach, { condition, limit }: { condition: Sql; limit: number }): Sql => sql`
  with chosen as (
    select d.id from deliveries d
    join integrations i on i.id = d.integration_id and i.deleted_at is null
    where ${deliveriesIn(reach)} and d.status <> 'canceled' and not (${isBeingTried}) and ${condition}
    order by d.id
    limit ${limit}
    for update of d
  )
  update deliveries d
  set status = 'pending', reason = null, next_attempt_at = now(), schedule_start = d.attempts, finished_at = null,
      claimed_by = null, claim_expires_at = null
  from chosen where d.id = chosen.id
  returning d.id`;

/** What became of deliveries that were asked for by id. */
export interface RedeliveredByIds {
  /** Sent again, or being sent at this moment. */
  redelivered: Id<'dlv'>[];
  /** Their integration is deleted: there is nobody to send them to. */
  refused: Id<'dlv'>[];
}

/** Redelivers what of these ids is within reach. An id in neither list is not. */
export async function redeliverByIds(pool: Pool, key: { reach: Reach; ids: readonly Id<'dlv'>[] }): Promise<RedeliveredByIds> {
  const { reach, ids } = key;
  const update = restart(reach, { condition: sql`d.id = any(${ids})`, limit: ids.length });
  const restarted = await pool.query<{ id: Id<'dlv'> }>(update.toQuery());
  const done = new Set(restarted.rows.map((row) => row.id));
  const others = sql`
    select d.id, ${isBeingTried} as "isBeingTried" from deliveries d
    where ${deliveriesIn(reach)} and d.id = any(${ids.filter((id) => !done.has(id))})`;
  const { rows } = await pool.query<{ id: Id<'dlv'>; isBeingTried: boolean }>(others.toQuery());
  const tried = rows.filter((row) => row.isBeingTried).map((row) => row.id);
  return { redelivered: [...done, ...tried], refused: rows.filter((row) => !row.isBeingTried).map((row) => row.id) };
}

/**
 * Redelivers what a filter finds, oldest first, up to 10,000; dead ones unless it names a status. Pending ones that are
 * due already are not found, so that the same call again goes on where this one ended. `hasMore`: it should be made.
 */
export async function redeliverByFilter(
  pool: Pool,
  key: { reach: Reach; filter: RedeliverFilter },
): Promise<{ redelivered: Id<'dlv'>[]; hasMore: boolean }> {
  const { reach, filter } = key;
  const status = filter.status ?? 'dead';
  const condition = allOf([
    filter.formId ? sql`d.form_id = ${filter.formId}` : undefined,
    status === 'pending' ? sql`(d.next_attempt_at is null or d.next_attempt_at > now())` : undefined,
    ...filterConditions({ ...filter, status }),
  ]);
  const update = restart(reach, { condition, limit: maxRedeliveredByFilter });
  const { rows } = await pool.query<{ id: Id<'dlv'> }>(update.toQuery());
  return { redelivered: rows.map((row) => row.id).toSorted(), hasMore: rows.length === maxRedeliveredByFilter };
}
