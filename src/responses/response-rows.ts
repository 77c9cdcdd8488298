import type { Pool } from 'pg';
import { formsIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, trusted, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import { positionOfKey } from '../graphql/cursor.ts';
import type { SubmittedResponse } from './find-response.ts';
import type { ReviewState } from './review.entity.ts';

/** Which of a form's responses are asked for. Times: from `submittedSince` on, up to and without `submittedUntil`. */
export interface ResponseFilter {
  submittedSince?: Date | null | undefined;
  submittedUntil?: Date | null | undefined;
  clientId?: string | null | undefined;
  collectorUserId?: string | null | undefined;
  respondentMobile?: string | null | undefined;
  reviewState?: ReviewState | null | undefined;
  /** Whether rules have anything against it. */
  flagged?: boolean | null | undefined;
  /** The name of a rule that has something against it. */
  flag?: string | null | undefined;
}

const columns = trusted(`
  r.id, r.form_id as "formId", r.form_version as "formVersion", r.client_id as "clientId", r.family_id as "familyId",
  r.revision, r.position::float8 as position, r.submitted_at as "submittedAt", r.amended_by_id as "amendedById",
  r.erased_at as "erasedAt", r.erased_by_id as "erasedById", r.flags, r.answers, r.respondent, r.collector, r.metadata`);

/** Responses of forms that are within reach and not deleted. */
const within = (reach: Reach): Sql => sql`
  from responses r
  join forms f on f.id = r.form_id and ${formsIn(reach)} and f.deleted_at is null`;

/** The responses of these ids that are within reach, older revisions too. */
export async function readResponses(
  pool: Pool,
  key: { reach: Reach; ids: readonly Id<'resp'>[] },
): Promise<Map<Id<'resp'>, SubmittedResponse>> {
  const query = sql`select ${columns} ${within(key.reach)} where r.id = any(${key.ids})`;
  // prepared: with the policies in it, planning it takes several times as long as running it
  const { rows } = await pool.query<SubmittedResponse>({ name: `responses-by-id-${key.reach.kind}`, ...query.toQuery() });
  return new Map(rows.map((row) => [row.id, row]));
}

/** The current revision of the response that one of its revisions names. */
export async function readCurrent(pool: Pool, key: { reach: Reach; id: Id<'resp'> }): Promise<SubmittedResponse | undefined> {
  const query = sql`
    select ${columns} ${within(key.reach)}
    where r.family_id = (select family_id from responses where id = ${key.id})
    order by r.revision desc limit 1`;
  const { rows } = await pool.query<SubmittedResponse>(query.toQuery());
  return rows[0];
}

/** What is left of an erased response, whether or not its form is deleted: its last revision. */
export async function readErased(pool: Pool, key: { organizationId: Id<'org'>; familyId: Id<'resp'> }): Promise<SubmittedResponse> {
  const query = sql`
    select ${columns}
    from responses r
    join forms f on f.id = r.form_id and f.organization_id = ${key.organizationId}
    where r.family_id = ${key.familyId}
    order by r.revision desc limit 1`;
  const { rows } = await pool.query<SubmittedResponse>(query.toQuery());
  if (!rows[0]) throw new Error(`${key.familyId} is missing`);
  return rows[0];
}

/** The revisions of a family, the range's keys being their numbers. */
export async function pageOfRevisions(
  pool: Pool,
  page: { reach: Reach; familyId: Id<'resp'>; range: KeysetRange },
): Promise<SubmittedResponse[]> {
  const { after, before, limit, reversed } = page.range;
  const conditions = [
    sql`r.family_id = ${page.familyId}`,
    after === undefined ? undefined : sql`r.revision > ${Number(after)}`,
    before === undefined ? undefined : sql`r.revision < ${Number(before)}`,
  ];
  const direction = trusted(reversed ? 'desc' : 'asc');
  const query = sql`select ${columns} ${within(page.reach)} where ${allOf(conditions)} order by r.revision ${direction} limit ${limit}`;
  const { rows } = await pool.query<SubmittedResponse>(query.toQuery());
  return rows;
}

export interface ResponsePage {
  reach: Reach;
  formId: Id<'form'>;
  range: KeysetRange;
  filter?: ResponseFilter | null | undefined;
  /** Only responses that answer this question. */
  questionId?: Id<'q'> | undefined;
  /** None beyond this position. */
  upTo?: number | undefined;
}

/** The current revisions of a form's responses in the order of their positions, which are the range's keys. */
export async function pageOfResponses(pool: Pool, page: ResponsePage): Promise<SubmittedResponse[]> {
  const { reach, formId, range, filter, questionId, upTo } = page;
  const { stretch, order } = stretchOf({ formId, range, kind: kindOf(filter ?? {}) });
  const conditions = [
    ...stretch,
    sql`exists (select 1 from forms f where f.id = ${formId} and ${formsIn(reach)} and f.deleted_at is null)`,
    sql`r.erased_at is null`,
    sql`not exists (select 1 from responses newer where newer.family_id = r.family_id and newer.revision > r.revision)`,
    questionId && sql`r.answers ? ${questionId}`,
    upTo === undefined ? undefined : sql`r.position <= ${upTo}`,
    ...filterConditions(filter ?? {}),
  ];
  const direction = range.reversed ? 'desc' : 'asc';
  const ordered = trusted(order.map((column) => `${column} ${direction}`).join(', '));
  const query = sql`select ${columns} from responses r where ${allOf(conditions)} order by ${ordered} limit ${range.limit}`;
  const { rows } = await pool.query<SubmittedResponse>(query.toQuery());
  return rows;
}

/** What all responses of a page have in common that an index is made for; undefined: nothing, but for the form. */
interface Kind {
  column: string;
  value: string | boolean;
  /** Which rows are in the index. */
  indexed: Sql;
}

const isFlagged = '(r.flags is not null)';

/** Of two that would do, the one that is asked for by value: there are more flagged responses than rejected ones. */
function kindOf({ reviewState, flagged, flag }: ResponseFilter): Kind | undefined {
  if (reviewState && reviewState !== 'received') return { column: 'r.review_state', value: reviewState, indexed: sql`r.review_state is not null` };
  if (flagged !== true && typeof flag !== 'string') return undefined;
  return { column: isFlagged, value: true, indexed: sql`r.flags is not null` };
}

/**
 * The stretch of a form's responses, or of those of one kind, that a page lies in, and its order by positions.
 *
 * All are written so that only the index that is made for them can serve them: what is asked for may stand behind any
 * number of rows that are not, of other forms or of other kinds, which the database does not expect. It would rather
 * go through all rows by another index, and look at 21,000 blocks for a page behind 200,000 others.
 */
function stretchOf(page: { formId: Id<'form'>; range: KeysetRange; kind: Kind | undefined }): {
  stretch: (Sql | undefined)[];
  order: readonly string[];
} {
  const { formId, range, kind } = page;
  const after = positionOfKey(range.after ?? '') ?? Number.MIN_SAFE_INTEGER;
  const before = positionOfKey(range.before ?? '');
  if (!kind) {
    const begin = sql`(r.form_id, r.position) > (${formId}, ${after})`;
    const end = before === undefined ? sql`r.form_id <= ${formId}` : sql`(r.form_id, r.position) < (${formId}, ${before})`;
    return { stretch: [begin, end], order: ['r.form_id', 'r.position'] };
  }
  const { value, indexed } = kind;
  const column = trusted(kind.column);
  const begin = sql`(r.form_id, ${column}, r.position) > (${formId}, ${value}, ${after})`;
  const end = before === undefined
    ? sql`(r.form_id, ${column}) <= (${formId}, ${value})`
    : sql`(r.form_id, ${column}, r.position) < (${formId}, ${value}, ${before})`;
  return { stretch: [begin, end, indexed], order: ['r.form_id', kind.column, 'r.position'] };
}

function filterConditions(filter: ResponseFilter): (Sql | undefined)[] {
  const { submittedSince, submittedUntil, clientId, collectorUserId, respondentMobile, reviewState, flagged, flag } = filter;
  return [
    submittedSince ? sql`r.submitted_at >= ${submittedSince}` : undefined,
    submittedUntil ? sql`r.submitted_at < ${submittedUntil}` : undefined,
    typeof clientId === 'string' ? sql`r.client_id = ${clientId}` : undefined,
    typeof collectorUserId === 'string' ? sql`r.collector ->> 'userId' = ${collectorUserId}` : undefined,
    typeof respondentMobile === 'string' ? sql`r.respondent ->> 'mobile' = ${respondentMobile}` : undefined,
    reviewState === 'received' ? sql`r.review_state is null` : undefined,
    typeof flagged === 'boolean' ? sql`${trusted(isFlagged)} = ${flagged}` : undefined,
    typeof flag === 'string' ? sql`r.flags @> ${JSON.stringify([{ rule: flag }])}::jsonb` : undefined,
  ];
}
