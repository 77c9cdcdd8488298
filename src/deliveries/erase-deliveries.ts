import type { PoolClient } from 'pg';
import { partitionOf } from '../events/event.ts';
import { newId, type Id } from '../events/id.ts';

/** Why a delivery of an erased response is canceled. */
export const erasedReason = 'The response was erased.';

interface ErasedResponse {
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  /** Of all its revisions. */
  responseIds: readonly Id<'resp'>[];
  erasedAt: Date;
}

/** What is not dispatched yet, for each integration that `matchesEvent` would send it to. */
const selectUndispatched = `
  select o.event_id as "eventId", o.type, o.position::float8 as position, o.response_id as "responseId", i.id as "integrationId"
  from outbox o
  left join integrations i
    on i.organization_id = o.organization_id and (i.form_id is null or i.form_id = o.form_id)
   and i.since_version <= o.integrations_version and i.events ? o.type and i.deleted_at is null
  where o.form_id = $1 and o.response_id = any($2)`;

const insertCanceled = `
  insert into deliveries (
    id, event_id, event_type, position, response_id, integration_id, organization_id, form_id, partition,
    status, reason, attempts, created_at, finished_at
  )
  select input.*, $7, $8, $9, 'canceled', '${erasedReason}', 0, $10, $10
  from unnest($1::text[], $2::text[], $3::text[], $4::bigint[], $5::text[], $6::text[]) as input
  on conflict (event_id, integration_id) do nothing`;

const cancelUnfinished = `
  update deliveries
  set status = 'canceled', reason = '${erasedReason}', next_attempt_at = null, claimed_by = null, claim_expires_at = null,
      finished_at = coalesce(finished_at, $2)
  where response_id = any($1) and status in ('pending', 'dead')
  returning event_id as "eventId", position::float8 as position`;

/** Receivers' answers and their messages may repeat what they were sent. */
const forgetAnswered = `
  update attempts set error = null, response_body = null
  from deliveries d
  where d.id = attempts.delivery_id and d.response_id = any($1) and (attempts.error is not null or attempts.response_body is not null)`;

/** So may what outside services said later. */
const forgetTold = `
  update trackings t set detail = null
  from deliveries d
  where d.response_id = any($1) and t.integration_id = d.integration_id and t.event_id = d.event_id and t.detail is not null`;

const insertErasedEvents = `
  insert into erased_events (event_id, position, erased_at)
  select input.event_id, input.position, $3 from unnest($1::text[], $2::bigint[]) as input(event_id, position)
  on conflict do nothing`;

/**
 * Ends the deliveries of a response that is being erased: what is pending, dead or not even dispatched is canceled, and
 * what receivers answered is forgotten. The outbox rows stay for the dispatcher to let go of, or else the sweeper.
 */
export async function eraseDeliveries(client: PoolClient, erased: ErasedResponse): Promise<void> {
  const { responseIds, erasedAt } = erased;
  const undispatched = await cancelUndispatched(client, erased);
  const { rows: canceled } = await client.query<{ eventId: Id<'evt'>; position: number }>(cancelUnfinished, [responseIds, erasedAt]);
  await client.query(forgetAnswered, [responseIds]);
  await client.query(forgetTold, [responseIds]);
  const events = new Map([...undispatched, ...canceled].map(({ eventId, position }) => [eventId, position]));
  await client.query(insertErasedEvents, [[...events.keys()], [...events.values()], erasedAt]);
}

interface Undispatched {
  eventId: Id<'evt'>;
  type: string;
  position: number;
  responseId: Id<'resp'>;
  /** null: no integration wants it. */
  integrationId: Id<'intg'> | null;
}

/** A dispatcher that is at one of them finds it recorded, and what it would record left out. */
async function cancelUndispatched(client: PoolClient, { organizationId, formId, responseIds, erasedAt }: ErasedResponse): Promise<Undispatched[]> {
  const { rows } = await client.query<Undispatched>(selectUndispatched, [formId, responseIds]);
  const wanted = rows.filter((row) => row.integrationId !== null);
  await client.query(insertCanceled, [
    wanted.map(() => newId('dlv')),
    wanted.map((row) => row.eventId),
    wanted.map((row) => row.type),
    wanted.map((row) => row.position),
    wanted.map((row) => row.responseId),
    wanted.map((row) => row.integrationId),
    organizationId,
    formId,
    partitionOf(formId),
    erasedAt,
  ]);
  return rows;
}
