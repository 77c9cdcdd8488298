import type { PoolClient } from 'pg';
import { allOf, sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { JobCursor, JobInput } from './job.entity.ts';

/** A response on a walk, by its current revision. */
export interface WalkedResponse {
  formId: Id<'form'>;
  /** Of its first revision. */
  familyId: Id<'resp'>;
  responseId: Id<'resp'>;
  isErased: boolean;
}

export interface WalkedPage {
  responses: WalkedResponse[];
  /** Where the next page begins; undefined where there is none. */
  next: JobCursor | undefined;
}

type Walker = Pick<EnabledIntegration, 'organizationId' | 'formId'>;

const formsOf = ({ organizationId, formId }: Walker): Sql => sql`f.deleted_at is null and ${formId ? sql`f.id = ${formId}` : sql`f.organization_id = ${organizationId}`}`;

const submittedIn = ({ since, until }: JobInput): Sql =>
  allOf([since === undefined ? undefined : sql`r.submitted_at >= ${since}`, until === undefined ? undefined : sql`r.submitted_at < ${until}`]);

/**
 * The next responses of an integration's forms, form by form, in the order of their first revisions' ids: a response
 * that is amended while the walk goes on keeps its place. A page has responses of one form; the last one of a form may
 * be empty. Their rows are locked until the commit, so that an erasure waits, or its response is left out.
 */
export async function walkResponses(
  client: PoolClient,
  walk: { integration: Walker; input: JobInput; cursor: JobCursor | null; limit: number },
): Promise<WalkedPage> {
  const { integration, input, cursor, limit } = walk;
  const at = cursor ?? { formId: '', responseId: '' };
  const { rows: forms } = await client.query<{ id: Id<'form'> }>(
    sql`select f.id from forms f where ${formsOf(integration)} and f.id >= ${at.formId} order by f.id limit 2`.toQuery(),
  );
  const [form, following] = forms;
  if (!form) return { responses: [], next: undefined };
  const after = form.id === at.formId ? at.responseId : '';
  const { rows } = await client.query<WalkedResponse>(pageOf({ formId: form.id, after, input, limit: limit + 1 }).toQuery());
  const responses = rows.slice(0, limit);
  const last = responses.at(-1);
  if (rows.length > limit && last) return { responses, next: { formId: form.id, responseId: last.familyId } };
  return { responses, next: following && { formId: following.id, responseId: '' } };
}

const pageOf = ({ formId, after, input, limit }: { formId: Id<'form'>; after: string; input: JobInput; limit: number }): Sql => sql`
  with page as (
    select r.form_id, r.id from responses r
    where (r.form_id, r.id) > (${formId}, ${after}) and r.form_id <= ${formId} and r.family_id = r.id and ${submittedIn(input)}
    order by r.form_id, r.id
    limit ${limit}
    for key share
  )
  select page.form_id as "formId", page.id as "familyId", newest.id as "responseId", newest.erased_at is not null as "isErased"
  from page
  cross join lateral (select n.id, n.erased_at from responses n where n.family_id = page.id order by n.revision desc limit 1) newest
  order by page.id`;

/** How many responses a walk will meet. Reads all of them: once for each job. */
export async function countResponses(client: PoolClient, { integration, input }: { integration: Walker; input: JobInput }): Promise<number> {
  const count = sql`
    select count(*)::int as count from responses r join forms f on f.id = r.form_id
    where ${formsOf(integration)} and r.family_id = r.id and ${submittedIn(input)}`;
  const { rows } = await client.query<{ count: number }>(count.toQuery());
  return rows[0]?.count ?? 0;
}
