import type { Pool } from 'pg';
import { deliveriesIn, formsIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, trusted, type Sql } from '../bound-sql.ts';
import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import { positionOfKey } from '../graphql/cursor.ts';
import type { AttemptOutcome } from './attempt.entity.ts';
import type { DeliveryStatus, Redeliverer } from './delivery.entity.ts';

/** A delivery as its owner sees it. */
export interface DeliveryRow {
  id: Id<'dlv'>;
  eventId: Id<'evt'>;
  eventType: EventType;
  /** When what the event tells happened. */
  occurredAt: Date;
  responseId: Id<'resp'>;
  integrationId: Id<'intg'>;
  status: DeliveryStatus;
  reason: string | null;
  errorClass: string | null;
  attemptCount: number;
  nextAttemptAt: Date | null;
  createdAt: Date;
  finishedAt: Date | null;
  redeliveredAt: Date | null;
  redeliveredBy: Redeliverer | null;
  redeliveredById: Id<'usr'> | null;
  redrives: number;
  /** Where it was first recorded, in the order in which deliveries change. */
  recordedPosition: number;
}

export interface AttemptRow {
  deliveryId: Id<'dlv'>;
  number: number;
  at: Date;
  durationMs: number;
  outcome: AttemptOutcome;
  httpStatus: number | null;
  errorClass: string | null;
  error: string | null;
  responseBody: string | null;
}

/** Which deliveries are asked for. Times: created from `since` on, up to and without `until`. */
export interface DeliveryFilter {
  integrationId?: string | null | undefined;
  status?: DeliveryStatus | null | undefined;
  since?: Date | null | undefined;
  until?: Date | null | undefined;
  responseId?: string | null | undefined;
  /** Of the last attempt. */
  errorClass?: string | null | undefined;
}

/** Of `deliveries d`, for a DeliveryRow. */
export const deliveryColumns = trusted(`
  d.id, d.event_id as "eventId", d.event_type as "eventType", d.response_id as "responseId",
  d.integration_id as "integrationId", d.status, d.reason, d.error_class as "errorClass", d.attempts as "attemptCount",
  d.next_attempt_at as "nextAttemptAt", d.created_at as "createdAt", d.finished_at as "finishedAt",
  d.redelivered_at as "redeliveredAt", d.redelivered_by as "redeliveredBy", d.redelivered_by_id as "redeliveredById", d.redrives,
  d.recorded_position::float8 as "recordedPosition",
  coalesce((
    select case d.event_type when 'response.deleted' then r.erased_at else r.submitted_at end from responses r where r.id = d.response_id
  ), d.created_at) as "occurredAt"`);

/** The deliveries of these ids that are within reach. */
export async function readDeliveries(
  pool: Pool,
  key: { reach: Reach; ids: readonly Id<'dlv'>[] },
): Promise<Map<Id<'dlv'>, DeliveryRow>> {
  const query = sql`select ${deliveryColumns} from deliveries d where d.id = any(${key.ids}) and ${deliveriesIn(key.reach)}`;
  const { rows } = await pool.query<DeliveryRow>({ name: `deliveries-by-id-${key.reach.kind}`, ...query.toQuery() });
  return new Map(rows.map((row) => [row.id, row]));
}

export interface DeliveryPage {
  reach: Reach;
  /** Absent: of all within reach. */
  formId?: Id<'form'> | undefined;
  filter: DeliveryFilter;
  range: KeysetRange;
}

/** Deliveries in the order in which they were first recorded; those of all forms in that of their ids, which is nearly the same. */
export async function pageOfDeliveries(pool: Pool, page: DeliveryPage): Promise<DeliveryRow[]> {
  const { reach, formId, filter, range } = page;
  const { stretch, order } = formId ? stretchOfForm(formId, range) : { stretch: [], order: ['d.id'] };
  const direction = range.reversed ? 'desc' : 'asc';
  const ordered = trusted(order.map((column) => `${column} ${direction}`).join(', '));
  const query = sql`
    select ${deliveryColumns} from deliveries d
    where ${allOf([...stretch, deliveriesIn(reach), ...filterConditions(filter)])} order by ${ordered} limit ${range.limit}`;
  const { rows } = await pool.query<DeliveryRow>(query.toQuery());
  return rows;
}

/** Written so that only the index that is made for it can serve it: see `response-rows.ts`. */
function stretchOfForm(formId: Id<'form'>, range: KeysetRange): { stretch: Sql[]; order: readonly string[] } {
  const after = positionOfKey(range.after ?? '', 'deliveries') ?? Number.MIN_SAFE_INTEGER;
  const before = positionOfKey(range.before ?? '', 'deliveries') ?? Number.MAX_SAFE_INTEGER;
  return {
    stretch: [sql`(d.form_id, d.recorded_position) > (${formId}, ${after})`, sql`(d.form_id, d.recorded_position) < (${formId}, ${before})`],
    order: ['d.form_id', 'd.recorded_position'],
  };
}

/** How many deliveries within reach a filter finds. */
export async function countDeliveries(pool: Pool, { reach, formId, filter }: Omit<DeliveryPage, 'range'>): Promise<number> {
  const conditions = [formId ? sql`d.form_id = ${formId}` : undefined, deliveriesIn(reach), ...filterConditions(filter)];
  const { rows } = await pool.query<{ count: number }>(sql`select count(*)::int as count from deliveries d where ${allOf(conditions)}`.toQuery());
  return rows[0]?.count ?? 0;
}

/** What a filter asks of `deliveries d`. */
export function filterConditions(filter: DeliveryFilter): (Sql | undefined)[] {
  const { integrationId, status, since, until, responseId, errorClass } = filter;
  return [
    integrationId ? sql`d.integration_id = ${integrationId}` : undefined,
    status ? sql`d.status = ${status}` : undefined,
    since ? sql`d.created_at >= ${since}` : undefined,
    until ? sql`d.created_at < ${until}` : undefined,
    responseId ? sql`d.response_id = ${responseId}` : undefined,
    errorClass ? sql`d.error_class = ${errorClass}` : undefined,
  ];
}

/** The deliveries of each response to a form within reach, oldest first; another response has no entry. */
export async function deliveriesOfResponses(
  pool: Pool,
  key: { reach: Reach; responseIds: readonly Id<'resp'>[] },
): Promise<Map<Id<'resp'>, DeliveryRow[]>> {
  const { reach, responseIds } = key;
  const owned = sql`
    select r.id from responses r join forms f on f.id = r.form_id and ${formsIn(reach)} where r.id = any(${responseIds})`;
  const found = sql`
    select ${deliveryColumns} from deliveries d
    where d.response_id = any(${responseIds}) and ${deliveriesIn(reach)} order by d.id`;
  const [responses, deliveries] = await Promise.all([
    pool.query<{ id: Id<'resp'> }>(owned.toQuery()),
    pool.query<DeliveryRow>(found.toQuery()),
  ]);
  const byResponse = Map.groupBy(deliveries.rows, (row) => row.responseId);
  return new Map(responses.rows.map(({ id }) => [id, byResponse.get(id) ?? []]));
}

/** The attempts of each delivery within reach, in their order. */
export async function attemptsOfDeliveries(
  pool: Pool,
  key: { reach: Reach; deliveryIds: readonly Id<'dlv'>[] },
): Promise<Map<Id<'dlv'>, AttemptRow[]>> {
  const query = sql`
    select a.delivery_id as "deliveryId", a.number, a.at, a.duration_ms as "durationMs", a.outcome, a.http_status as "httpStatus",
           a.error_class as "errorClass", a.error, a.response_body as "responseBody"
    from attempts a join deliveries d on d.id = a.delivery_id
    where a.delivery_id = any(${key.deliveryIds}) and ${deliveriesIn(key.reach)}
    order by a.delivery_id, a.number`;
  const { rows } = await pool.query<AttemptRow>(query.toQuery());
  return Map.groupBy(rows, (row) => row.deliveryId);
}
