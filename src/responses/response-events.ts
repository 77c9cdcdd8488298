import type { Pool } from 'pg';
import { sql, trusted, type Sql } from '../bound-sql.ts';
import type { EventType } from '../events/event.ts';
import { eventIdOf, type Id } from '../events/id.ts';
import { foundAll, type Found, type LiveItem, type Stretch } from '../graphql/live-topic.ts';

/** An event that tells of a response, as it stands in the order of all events. */
export interface ResponseEventItem extends LiveItem {
  id: Id<'evt'>;
  occurredAt: Date;
  type: EventType;
  responseId: Id<'resp'>;
}

const bounded = ({ after, upTo, limit }: Stretch): Sql => sql`position > ${after} and position <= ${upTo} order by form_id, position limit ${limit}`;

/**
 * What came in: the rows of responses themselves tell it. Those that were amended tell of it as a change; those that
 * are erased tell nothing any more.
 */
export async function readCreated(pool: Pool, formId: Id<'form'>, stretch: Stretch): Promise<Found<ResponseEventItem>> {
  const query = sql`
    select id as "responseId", position::float8 as position, submitted_at as "occurredAt" from responses
    where form_id = ${formId} and amended_by_id is null and erased_at is null and ${bounded(stretch)}`;
  const { rows } = await pool.query<Omit<ResponseEventItem, 'id' | 'type'>>({ name: 'created-stretch', ...query.toQuery() });
  return foundAll(stretch, rows.map((row) => ({ ...row, id: eventIdOf(row.responseId), type: 'response.created' })));
}

const changeColumns = trusted(`event_id as id, type, response_id as "responseId", position::float8 as position, created_at as "occurredAt"`);

/** What became of responses after that: amended, flagged, cleared, deleted. */
export async function readChanges(pool: Pool, formId: Id<'form'>, stretch: Stretch): Promise<Found<ResponseEventItem>> {
  const query = sql`select ${changeColumns} from changes where form_id = ${formId} and type like 'response.%' and ${bounded(stretch)}`;
  const { rows } = await pool.query<ResponseEventItem>({ name: 'changes-stretch', ...query.toQuery() });
  return foundAll(stretch, rows);
}
