import type { Pool } from 'pg';
import type { Event, EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import { renderResponseAmended } from '../events/response-amended.ts';
import type { FormDefinition } from '../forms/form-definition.ts';
import { renderResponseDeleted } from '../events/response-deleted.ts';
import { renderRevisionEvent } from '../events/revision-event.ts';
import { responseEventData, type RenderedRow } from './render.ts';

/** What outbox and delivery rows know of an event: everything but its body. */
export interface EventEntry {
  eventId: Id<'evt'>;
  type: EventType;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  responseId: Id<'resp'>;
  position: number;
  integrationsVersion: number;
}

export interface RebuildDeps {
  pool: Pool;
  forms: { version(formId: Id<'form'>, number: number): Promise<FormDefinition | undefined> };
}

interface StoredRevision extends RenderedRow {
  /** Of the revision before, if there is one. */
  previousId: Id<'resp'> | null;
  erasedAt: Date | null;
}

const selectResponses = `
  select id, form_id as "formId", form_version as "formVersion", client_id as "clientId", family_id as "familyId",
         revision, submitted_at as "submittedAt", flags, answers, respondent, collector, metadata, erased_at as "erasedAt",
         case when revision > 1 then (
           select p.id from responses p where p.family_id = responses.family_id and p.revision = responses.revision - 1
         ) end as "previousId"
  from responses
  where id = any($1)`;

/**
 * Makes events again from their responses, in the order of `entries`, with the very bytes of the first time. Reads all
 * responses in one query; form versions never change and mostly come from memory. Entries whose response is erased, or
 * its form version gone, are left out; but for those that tell of the erasure.
 */
export async function rebuildEvents(deps: RebuildDeps, entries: readonly EventEntry[]): Promise<Event[]> {
  if (entries.length === 0) return [];
  const ids = [...new Set(entries.map((entry) => entry.responseId))];
  const { rows } = await deps.pool.query<StoredRevision>({ name: 'rebuild-events', text: selectResponses, values: [ids] });
  const responses = new Map(rows.map((row) => [row.id, row]));
  const events: Event[] = [];
  for (const entry of entries) {
    const row = responses.get(entry.responseId);
    const definition = row && (await deps.forms.version(row.formId, row.formVersion));
    const body = row && definition && bodyOf(entry.type, { row, definition });
    if (body) events.push(eventOf(entry, body));
  }
  return events;
}

/** Undefined where what it is made from is gone. */
function bodyOf(type: EventType, { row, definition }: { row: StoredRevision; definition: FormDefinition }): Uint8Array | undefined {
  const data = responseEventData({ row, definition });
  const { erasedAt } = row;
  switch (type) {
    case 'response.created':
    case 'response.flagged':
    case 'response.cleared':
      return erasedAt ? undefined : renderRevisionEvent(type, data);
    case 'response.amended':
      return erasedAt || row.previousId === null ? undefined : renderResponseAmended({ ...data, previous: { id: row.previousId, revision: row.revision - 1 } });
    case 'response.deleted':
      return erasedAt ? renderResponseDeleted({ ...data, deletedAt: erasedAt }) : undefined;
  }
}

/** Member by member: an entry comes from a row that may have more columns than an event. */
const eventOf = (entry: EventEntry, body: Uint8Array): Event => ({
  id: entry.eventId,
  type: entry.type,
  organizationId: entry.organizationId,
  formId: entry.formId,
  responseId: entry.responseId,
  position: entry.position,
  integrationsVersion: entry.integrationsVersion,
  body,
});
