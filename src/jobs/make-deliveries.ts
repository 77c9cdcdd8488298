import type { Pool, PoolClient } from 'pg';
import { partitionOf } from '../events/event.ts';
import { newId, type Id } from '../events/id.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { WalkedResponse } from './walk-responses.ts';

/** What of an integration is delivered, or on its way from the outbox, of each response. */
const known = `
  select r.id, exists (
    select 1 from deliveries d
    where d.response_id = r.id and d.integration_id = $2 and d.status = 'pending'
  ) or exists (
    select 1 from outbox o
    where o.response_id = r.id and o.form_id = r.form_id and o.integrations_version >= $3 and o.type = any($4)
  ) as "isUnderWay", exists (
    select 1 from deliveries d
    where d.response_id = r.id and d.integration_id = $2 and d.status = 'delivered' and d.event_type <> 'response.deleted'
  ) as "isDelivered"
  from responses r where r.id = any($1)`;

export interface KnownResponses {
  /** Something of the response is still to be delivered to the integration. */
  underWay: Set<Id<'resp'>>;
  delivered: Set<Id<'resp'>>;
}

type Getter = Pick<EnabledIntegration, 'id' | 'organizationId' | 'sinceVersion' | 'events'>;

/** How revisions stand with an integration. */
export async function knownTo(client: Pick<Pool, 'query'>, { id, sinceVersion, events }: Getter, responseIds: readonly Id<'resp'>[]): Promise<KnownResponses> {
  const { rows } = await client.query<{ id: Id<'resp'>; isUnderWay: boolean; isDelivered: boolean }>(known, [responseIds, id, sinceVersion, events]);
  return {
    underWay: new Set(rows.filter((row) => row.isUnderWay).map((row) => row.id)),
    delivered: new Set(rows.filter((row) => row.isDelivered).map((row) => row.id)),
  };
}

/**
 * The first revisions are locked, so that an erasure waits for this commit, or its response is left out. Positions are of
 * the outbox's sequence: one order for all events.
 */
const insertPending = `
  with families as materialized (
    select id from responses where id = any($9) and erased_at is null order by id for key share
  )
  insert into deliveries (
    id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition,
    status, reason, attempts, next_attempt_at, created_at, job_id
  )
  select input.id, input.event_id, 'response.created', nextval(pg_get_serial_sequence('outbox', 'position')), $5, input.form_id, input.response_id, $6, input.partition,
         'pending', 'Waits for its turn.', 0, now(), now(), $7
  from unnest($1::text[], $2::text[], $3::text[], $4::text[], $8::smallint[], $9::text[]) with ordinality
    as input(id, event_id, form_id, response_id, partition, family_id, ordinal)
  join families on families.id = input.family_id
  order by input.ordinal`;

/** Makes pending deliveries of responses as they are now, each of an event of its own, in their order. */
export async function makeDeliveries(
  client: PoolClient,
  { jobId, integration, responses }: { jobId: Id<'job'>; integration: Getter; responses: readonly WalkedResponse[] },
): Promise<void> {
  if (responses.length === 0) return;
  await client.query(insertPending, [
    responses.map(() => newId('dlv')),
    responses.map(() => newId('evt')),
    responses.map(({ formId }) => formId),
    responses.map(({ responseId }) => responseId),
    integration.organizationId,
    integration.id,
    jobId,
    responses.map(({ formId }) => partitionOf(formId)),
    responses.map(({ familyId }) => familyId),
  ]);
}
