import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';
import type { Inserted, ResponseRow } from './insert-responses.ts';

/** A revision ready to be written; documents as JSON text. */
export interface AmendmentRow extends Omit<ResponseRow, 'intakeVersion' | 'takesPlace' | 'respondentKey'> {
  /** The one after the revision it was made of. */
  revision: number;
  amendedById: Id<'usr'>;
}

/**
 * Writes a revision and its outbox row, where it is the next of its family and the form still has the version that its
 * answers were checked against. Of two that would both be the next one, the key on family and revision lets one in.
 * The first revision is locked, so that whatever ends the family waits for this commit, or this statement sees it.
 */
const statement = `
  with family as (
    select id from responses where id = $5 and erased_at is null for key share
  ), inserted as (
    insert into responses (
      id, form_id, form_version, family_id, revision, client_id, content_hash, submitted_at, amended_by_id,
      answers, respondent, collector, metadata, position, integrations_version
    )
    select $1, f.id, f.version, family.id, $6, $7, $8, $9, $10, $11::jsonb, $12::jsonb, $13::jsonb, $14::jsonb,
           nextval('outbox_position_seq'), o.integrations_version
    from family
    join forms f on f.id = $3 and f.organization_id = $2 and f.version = $4 and f.deleted_at is null
    join organizations o on o.id = f.organization_id
    where (select max(r.revision) from responses r where r.family_id = family.id) = $6 - 1
    on conflict do nothing
    returning id, form_id, position, integrations_version
  )
  insert into outbox (position, event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
  select position, $15, 'response.amended', $2, form_id, id, integrations_version, now() from inserted
  returning position::float8 as position, integrations_version as "integrationsVersion"`;

/** Undefined where it was left out: somebody was first, the form has changed, or the client id is known. */
export async function insertAmendment(pool: Pool, row: AmendmentRow): Promise<Inserted | undefined> {
  const { rows } = await pool.query<Omit<Inserted, 'revision'>>({
    name: 'insert-amendment',
    text: statement,
    values: [
      row.id, row.organizationId, row.formId, row.formVersion, row.familyId, row.revision, row.clientId, row.contentHash,
      row.submittedAt, row.amendedById, row.answers, row.respondent, row.collector, row.metadata, row.eventId,
    ],
  });
  return rows[0] && { ...rows[0], revision: row.revision };
}
