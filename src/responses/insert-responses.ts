import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';

/** A response ready to be written; documents as JSON text. */
export interface ResponseRow {
  id: Id<'resp'>;
  eventId: Id<'evt'>;
  organizationId: Id<'org'>;
  formId: Id<'form'>;
  formVersion: number;
  clientId: string | null;
  contentHash: string | null;
  /** Its own id begins a family; another one continues that family with its next revision. */
  familyId: Id<'resp'>;
  submittedAt: Date;
  answers: string;
  respondent: string;
  collector: string;
  metadata: string;
}

/** What only the database knows of a response it took. */
export interface Inserted {
  revision: number;
  position: number;
  integrationsVersion: number;
}

/**
 * Inserts responses and their outbox rows in one statement. A row is left out, without an error, where
 * - its id, client id or revision is already there (a repeat, or a race for the family's next revision), or
 * - the form has another version than the answers were checked against, or takes no responses any more.
 * The integrations version is read in the same snapshot: it says exactly which integrations were enabled.
 */
const statement = `
  with input as (
    select * from unnest(
      $1::text[], $2::text[], $3::text[], $4::int[], $5::text[], $6::text[], $7::text[], $8::timestamptz[],
      $9::jsonb[], $10::jsonb[], $11::jsonb[], $12::jsonb[]
    ) with ordinality as input (
      id, event_id, form_id, form_version, client_id, content_hash, family_id, submitted_at,
      answers, respondent, collector, metadata, ordinal
    )
  ), inserted as (
    insert into responses (
      id, form_id, form_version, client_id, content_hash, family_id, revision, submitted_at,
      answers, respondent, collector, metadata
    )
    select i.id, i.form_id, i.form_version, i.client_id, i.content_hash, i.family_id,
           case when i.family_id = i.id then 1
                else 1 + (select coalesce(max(r.revision), 0) from responses r where r.family_id = i.family_id) end,
           i.submitted_at, i.answers, i.respondent, i.collector, i.metadata
    from input i
    join forms f on f.id = i.form_id and f.version = i.form_version and f.status = 'open' and f.deleted_at is null
    order by i.ordinal
    on conflict do nothing
    returning id, revision
  ), queued as (
    insert into outbox (event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
    select i.event_id, 'response.created', o.id, i.form_id, i.id, o.integrations_version, now()
    from inserted
    join input i on i.id = inserted.id
    join forms f on f.id = i.form_id
    join organizations o on o.id = f.organization_id
    order by i.ordinal
    returning response_id, position, integrations_version
  )
  select queued.response_id as id, queued.position::float8 as position,
         queued.integrations_version as "integrationsVersion", inserted.revision
  from queued join inserted on inserted.id = queued.response_id`;

/** Answers what became of each row, in their order: undefined for one that was left out. */
export async function insertResponses(pool: Pool, rows: readonly ResponseRow[]): Promise<(Inserted | undefined)[]> {
  const result = await pool.query<Inserted & { id: string }>({
    name: 'insert-responses',
    text: statement,
    values: [
      rows.map((row) => row.id),
      rows.map((row) => row.eventId),
      rows.map((row) => row.formId),
      rows.map((row) => row.formVersion),
      rows.map((row) => row.clientId),
      rows.map((row) => row.contentHash),
      rows.map((row) => row.familyId),
      rows.map((row) => row.submittedAt),
      rows.map((row) => row.answers),
      rows.map((row) => row.respondent),
      rows.map((row) => row.collector),
      rows.map((row) => row.metadata),
    ],
  });
  const inserted = new Map(result.rows.map((row) => [row.id, row]));
  return rows.map((row) => inserted.get(row.id));
}
