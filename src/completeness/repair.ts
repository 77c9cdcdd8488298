import type { Pool } from 'pg';
import type { AcceptedEvent } from './account.ts';

const putBack = `
  insert into outbox (position, event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
  select input.position, input.event_id, input.type, input.organization_id, input.form_id, input.response_id, input.integrations_version, now()
  from unnest($1::bigint[], $2::text[], $3::text[], $4::text[], $5::text[], $6::text[], $7::int[]) as input (
    position, event_id, type, organization_id, form_id, response_id, integrations_version
  )
  on conflict do nothing`;

/**
 * Puts events back into the outbox, at their places and with their ids. The sweeper publishes them again, and the
 * dispatcher makes the deliveries that are not recorded; to whom they were recorded nothing is sent. Answers how many
 * were put back: one that is there already is on its way.
 */
export async function repairEvents(pool: Pool, events: readonly AcceptedEvent[]): Promise<number> {
  const known = [...new Map(events.filter(({ integrationsVersion }) => integrationsVersion !== null).map((event) => [event.id, event])).values()];
  const { rowCount } = await pool.query({
    name: 'put-back',
    text: putBack,
    values: [
      known.map((event) => event.position),
      known.map((event) => event.id),
      known.map((event) => event.type),
      known.map((event) => event.organizationId),
      known.map((event) => event.formId),
      known.map((event) => event.responseId),
      known.map((event) => event.integrationsVersion),
    ],
  });
  return rowCount ?? 0;
}
