import type { Pool } from 'pg';
import { flagsEventIdOf, type Id } from '../events/id.ts';
import type { FlagsEvent, Inserted, ResponseRow } from './insert-responses.ts';

/** A revision ready to be written; documents as JSON text. */
export interface AmendmentRow extends Omit<ResponseRow, 'takesPlace' | 'respondentKey'> {
  /** The one after the revision it was made of. */
  revision: number;
  amendedById: Id<'usr'>;
}

/**
 * Writes a revision and its outbox rows, where it is the next of its family and the form still has the version that its
 * answers were checked against, and the checks too. Of two that would both be the next one, the key on family and
 * revision lets one in. The first revision is locked, so that whatever ends the family waits for this commit, or this
 * statement sees it.
 */
const statement = `
  with family as (
    select id from responses where id = $5 and erased_at is null for key share
  ), inserted as (
    insert into responses (
      id, form_id, form_version, family_id, revision, client_id, content_hash, submitted_at, amended_by_id,
      answers, respondent, collector, metadata, flags, position, integrations_version, flags_position
    )
    select $1, f.id, f.version, family.id, $6, $7, $8, $9, $10, $11::jsonb, $12::jsonb, $13::jsonb, $14::jsonb, $15::jsonb,
           nextval('outbox_position_seq'), o.integrations_version,
           case when $15::jsonb is distinct from before.flags then nextval('outbox_position_seq') end
    from family
    join responses before on before.family_id = family.id and before.revision = $6 - 1
    join forms f on f.id = $3 and f.organization_id = $2 and f.version = $4 and f.intake_version = $16 and f.deleted_at is null
    join organizations o on o.id = f.organization_id
    where (select max(r.revision) from responses r where r.family_id = family.id) = $6 - 1
    on conflict do nothing
    returning id, form_id, flags, position, integrations_version, flags_position
  ), happened as (
    select position, $17 as event_id, 'response.amended' as type from inserted
    union all
    select flags_position, $18, case when flags is null then 'response.cleared' else 'response.flagged' end from inserted where flags_position is not null
  )
  insert into outbox (position, event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
  select h.position, h.event_id, h.type, $2, inserted.form_id, inserted.id, inserted.integrations_version, now()
  from happened h, inserted
  returning type, position::float8 as position, integrations_version as "integrationsVersion"`;

/** Undefined where it was left out: somebody was first, the form has changed, or the client id is known. */
export async function insertAmendment(pool: Pool, row: AmendmentRow): Promise<Inserted | undefined> {
  const { rows } = await pool.query<{ type: 'response.amended' | FlagsEvent['type']; position: number; integrationsVersion: number }>({
    name: 'insert-amendment',
    text: statement,
    values: [
      row.id, row.organizationId, row.formId, row.formVersion, row.familyId, row.revision, row.clientId, row.contentHash,
      row.submittedAt, row.amendedById, row.answers, row.respondent, row.collector, row.metadata, row.flags, row.intakeVersion,
      row.eventId, flagsEventIdOf(row.id),
    ],
  });
  const amended = rows.find(({ type }) => type === 'response.amended');
  const flagsEvent = rows.flatMap(({ type, position }) => (type === 'response.amended' ? [] : [{ type, position }]))[0];
  return amended && { revision: row.revision, position: amended.position, integrationsVersion: amended.integrationsVersion, flagsEvent };
}
