import type { Pool } from 'pg';
import { reachOf, type Reach } from '../accounts/reach.ts';
import { allOf, sql, trusted, type Sql } from '../bound-sql.ts';
import { isId, newId, type Id } from '../events/id.ts';
import { createInputFaults } from '../forms/input-faults.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UserError } from '../user-error.ts';
import type { SubmittedResponse } from './find-response.ts';
import { readCurrent, readResponses } from './response-rows.ts';
import type { Review, ReviewState } from './review.entity.ts';
import { erased } from './submit-response.ts';

export interface SetReviewStateInput {
  /** The current revision: the one that was looked at. */
  responseId: string;
  state: ReviewState;
  comment?: string | null | undefined;
}

export const maxCommentLength = 5_000;

/**
 * A state that is not the first one stands in the row of the current revision, where lists find it: so a further
 * revision begins without one. The first revision is locked as by whoever adds one, against an erasure.
 */
const statement = `
  with first as (
    select id from responses where id = (select family_id from responses where id = $1) and erased_at is null for key share
  ), reviewed as (
    update responses r set review_state = nullif($3, 'received')
    from first, forms f
    where r.id = $1 and r.family_id = first.id and f.id = r.form_id and f.organization_id = $2 and f.deleted_at is null
      and not exists (select 1 from responses newer where newer.family_id = r.family_id and newer.revision > r.revision)
    returning r.family_id, r.revision
  )
  insert into reviews (id, family_id, revision, state, comment, reviewed_by_id, created_at)
  select $4, family_id, revision, $3, $5, $6, now() from reviewed`;

/**
 * Writes down what a member found of a response of their organisation. Of two at once the later counts, and both are
 * kept. Throws UserError: REVISION_CONFLICT where the response has gone on since the revision that was looked at.
 */
export async function setReviewState(
  pool: Pool,
  { viewer, input }: { viewer: Viewer; input: SetReviewStateInput },
): Promise<SubmittedResponse> {
  const { responseId, state } = input;
  const { organizationId, userId } = viewer;
  const faults = createInputFaults();
  const comment = faults.optionalText(['comment'], input.comment, maxCommentLength);
  faults.throwIfAny();
  if (!isId('resp', responseId)) throw notFound();
  const { rowCount } = await pool.query({ name: 'set-review-state', text: statement, values: [responseId, organizationId, state, newId('rvw'), comment, userId] });
  if (rowCount !== 1) throw await whyNot(pool, { reach: reachOf(viewer), id: responseId });
  const response = (await readResponses(pool, { reach: reachOf(viewer), ids: [responseId] })).get(responseId);
  if (!response) throw notFound(); // deleted with its form since
  return response;
}

async function whyNot(pool: Pool, key: { reach: Reach; id: Id<'resp'> }): Promise<UserError> {
  const current = await readCurrent(pool, key);
  if (!current) return notFound();
  if (current.erasedAt) return erased(['responseId']);
  return new UserError('REVISION_CONFLICT', `The response is at revision ${current.revision} (${current.id}) by now: review that.`, ['responseId']);
}

const notFound = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no response with this id.', ['responseId']);

const selectStates = `
  select distinct on (r.family_id) r.family_id as "familyId", coalesce(r.review_state, 'received') as state
  from responses r
  join forms f on f.id = r.form_id and f.organization_id = $2
  where r.family_id = any($1)
  order by r.family_id, r.revision desc`;

/** Where families of the organisation stand now. */
export async function readReviewStates(pool: Pool, key: { organizationId: Id<'org'>; familyIds: readonly Id<'resp'>[] }): Promise<Map<Id<'resp'>, ReviewState>> {
  const { rows } = await pool.query<{ familyId: Id<'resp'>; state: ReviewState }>({
    name: 'review-states',
    text: selectStates,
    values: [key.familyIds, key.organizationId],
  });
  return new Map(rows.map(({ familyId, state }) => [familyId, state]));
}

/** One review as it is stored. */
export type ReviewRow = Pick<Review, 'id' | 'revision' | 'state' | 'comment' | 'reviewedById' | 'createdAt'>;

const columns = trusted(`v.id, v.revision, v.state, v.comment, v.reviewed_by_id as "reviewedById", v.created_at as "createdAt"`);

/** Reviews of an organisation's responses. */
const ownedBy = (organizationId: Id<'org'>): Sql => sql`
  from reviews v
  join responses r on r.id = v.family_id
  join forms f on f.id = r.form_id and f.organization_id = ${organizationId} and f.deleted_at is null`;

/** The reviews of these ids that belong to the organisation. */
export async function readReviews(pool: Pool, key: { organizationId: Id<'org'>; ids: readonly Id<'rvw'>[] }): Promise<Map<Id<'rvw'>, ReviewRow>> {
  const { rows } = await pool.query<ReviewRow>(sql`select ${columns} ${ownedBy(key.organizationId)} where v.id = any(${key.ids})`.toQuery());
  return new Map(rows.map((row) => [row.id, row]));
}

/** A page of a family's reviews, oldest first. */
export async function pageOfReviews(pool: Pool, page: { organizationId: Id<'org'>; familyId: Id<'resp'>; range: KeysetRange }): Promise<ReviewRow[]> {
  const { organizationId, familyId, range } = page;
  const conditions = [
    sql`v.family_id = ${familyId}`,
    range.after === undefined ? undefined : sql`v.id > ${range.after}`,
    range.before === undefined ? undefined : sql`v.id < ${range.before}`,
  ];
  const direction = trusted(range.reversed ? 'desc' : 'asc');
  const query = sql`select ${columns} ${ownedBy(organizationId)} where ${allOf(conditions)} order by v.id ${direction} limit ${range.limit}`;
  const { rows } = await pool.query<ReviewRow>(query.toQuery());
  return rows;
}
