import type { Pool } from 'pg';
import type { Json } from '../events/canonical-json.ts';
import type { Flag } from '../events/flag.ts';
import type { Id } from '../events/id.ts';
import type { Collector, Respondent, StoredAnswers } from './response.entity.ts';

/** A stored response, as plain values. */
export interface SubmittedResponse {
  id: Id<'resp'>;
  formId: Id<'form'>;
  formVersion: number;
  clientId: string | null;
  familyId: Id<'resp'>;
  revision: number;
  /** Its place in lists, which is that of its event in the order of all events. */
  position: number;
  submittedAt: Date;
  /** The member who made this revision of an earlier one; null for what was submitted. */
  amendedById: Id<'usr'> | null;
  /** Since then there is nothing else left of it. */
  erasedAt: Date | null;
  erasedById: Id<'usr'> | null;
  /** null: none. */
  flags: Flag[] | null;
  answers: StoredAnswers;
  respondent: Respondent;
  collector: Collector;
  metadata: Json;
}

const selectEarlier = `
  select id, form_id as "formId", form_version as "formVersion", client_id as "clientId", content_hash as "contentHash",
         family_id as "familyId", revision, position::float8 as position, submitted_at as "submittedAt", amended_by_id as "amendedById", erased_at as "erasedAt",
         erased_by_id as "erasedById",
         flags, answers, respondent, collector, metadata
  from responses
  where id = $1 or (form_id = $2 and client_id = $3)
  limit 1`;

/** The response that a row of this id or of this client id met, if there is one. */
export async function findEarlier(
  pool: Pool,
  key: { id?: string; formId: string; clientId: string | null },
): Promise<(SubmittedResponse & { contentHash: string | null }) | undefined> {
  const { rows } = await pool.query<SubmittedResponse & { contentHash: string | null }>({
    name: 'find-earlier-response',
    text: selectEarlier,
    values: [key.id ?? null, key.formId, key.clientId],
  });
  return rows[0];
}

/** Whether a form has the one response of a respondent that it takes. */
export async function hasResponded(pool: Pool, key: { formId: string; respondentKey: string }): Promise<boolean> {
  const { rowCount } = await pool.query({
    name: 'find-respondent',
    text: 'select 1 from responses where form_id = $1 and respondent_key = $2',
    values: [key.formId, key.respondentKey],
  });
  return rowCount === 1;
}

/** What a form has of a family of this id. */
export async function findFamily(pool: Pool, key: { familyId: string; formId: string }): Promise<'there' | 'erased' | 'none'> {
  const { rows } = await pool.query<{ isErased: boolean }>({
    name: 'find-response-family',
    text: 'select erased_at is not null as "isErased" from responses where family_id = $1 and form_id = $2 limit 1',
    values: [key.familyId, key.formId],
  });
  if (!rows[0]) return 'none';
  return rows[0].isErased ? 'erased' : 'there';
}
