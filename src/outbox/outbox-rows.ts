import type { Pool } from 'pg';
import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';

/** An outbox row as the sweeper reads it. */
export interface OutboxRow {
  position: number;
  eventId: Id<'evt'>;
  type: EventType;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  integrationsVersion: number;
  publishedSequence: number | null;
}

/** Where an acknowledged event is in the stream. */
export interface Published {
  position: number;
  sequence: number;
}

const selectDue = `
  select position::float8 as position, event_id as "eventId", type, organization_id as "organizationId",
         form_id as "formId", response_id as "responseId", integrations_version as "integrationsVersion",
         published_sequence::float8 as "publishedSequence"
  from outbox
  where position > $1 and created_at < now() - make_interval(secs => $2 / 1000.0)
  order by position
  limit $3`;

/** Rows older than `olderThanMs`, from a position on, in their order. */
export async function readOutbox(pool: Pool, page: { after: number; olderThanMs: number; limit: number }): Promise<OutboxRow[]> {
  const { rows } = await pool.query<OutboxRow>({
    name: 'outbox-due',
    text: selectDue,
    values: [page.after, page.olderThanMs, page.limit],
  });
  return rows;
}

const updatePublished = `
  update outbox set published_sequence = input.sequence
  from unnest($1::bigint[], $2::bigint[]) as input(position, sequence)
  where outbox.position = input.position`;

/** Writes down where events are in the stream; rows that have left the outbox since are no matter. */
export async function notePublished(pool: Pool, published: readonly Published[]): Promise<void> {
  await pool.query({
    name: 'outbox-note-published',
    text: updatePublished,
    values: [published.map((entry) => entry.position), published.map((entry) => entry.sequence)],
  });
}

