import type { Pool, PoolClient } from 'pg';
import { sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { AcceptedEvent } from './account.ts';

type Queryable = Pick<Pool | PoolClient, 'query'>;

/**
 * What tells of the event of a response that came in, and of every other event. The first has the id of its response
 * (`eventIdOf`). A revision that was made by an amendment has its event among the changes.
 */
const createdEvent = sql`
  'evt_' || substr(r.id, 6) as id, 'response.created' as type, r.form_id, r.id as response_id, r.position, r.integrations_version, r.submitted_at as accepted_at`;
const changeEvent = sql`c.event_id as id, c.type, c.form_id, c.response_id, c.position, c.integrations_version, c.created_at as accepted_at`;

/**
 * Events with what is recorded of them, in one look: an event leaves the outbox in the commit that records its last
 * outcome, so whoever saw one table before the other could find it in neither.
 */
const withRecords = (events: Sql): Sql => sql`
  with e as (${events})
  select e.id, e.type, f.organization_id as "organizationId", e.form_id as "formId", e.response_id as "responseId",
         e.position::float8 as position, e.integrations_version as "integrationsVersion", e.accepted_at as "acceptedAt",
         r.erased_at is not null as "isErased",
         exists (select 1 from outbox o where o.position = e.position) as "isQueued",
         coalesce((
           select json_agg(json_build_object('integrationId', d.integration_id, 'status', d.status)) from deliveries d where d.event_id = e.id
         ), '[]') as recorded
  from e
  join forms f on f.id = e.form_id
  join responses r on r.id = e.response_id
  order by e.position`;

async function readEvents(pool: Queryable, events: Sql): Promise<AcceptedEvent[]> {
  const { rows } = await pool.query<AcceptedEvent>(withRecords(events).toQuery());
  return rows;
}

/** A stretch of the events of one form: accepted from `since` on, up to and without `until`. */
export interface EventRange {
  formId: Id<'form'>;
  since: Date;
  until: Date;
  /** Positions: after the first, and up to the second. */
  after: number;
  through: number;
  limit: number;
}

type Stretch = Omit<EventRange, 'limit'>;

const createdIn = ({ formId, since, until, after, through }: Stretch): Sql => sql`
  r.form_id = ${formId} and r.position > ${after} and r.position <= ${through} and r.amended_by_id is null
  and r.submitted_at >= ${since} and r.submitted_at < ${until}`;
const changedIn = ({ formId, since, until, after, through }: Stretch): Sql => sql`
  c.form_id = ${formId} and c.position > ${after} and c.position <= ${through} and c.created_at >= ${since} and c.created_at < ${until}`;

/** The next events of a form, in their order. */
export function readEventsOfForm(pool: Queryable, { limit, ...stretch }: EventRange): Promise<AcceptedEvent[]> {
  return readEvents(pool, sql`
    select * from (
      (select ${createdEvent} from responses r where ${createdIn(stretch)} order by r.position limit ${limit})
      union all
      (select ${changeEvent} from changes c where ${changedIn(stretch)} order by c.position limit ${limit})
    ) found
    order by position limit ${limit}`);
}

/** How many events of a form there are to be read. Takes a hundredth of the time that reading them does. */
export async function countEventsOfForm(pool: Queryable, stretch: Stretch): Promise<number> {
  const { rows } = await pool.query<{ count: number }>(sql`
    select ((select count(*) from responses r where ${createdIn(stretch)}) + (select count(*) from changes c where ${changedIn(stretch)}))::int as count`.toQuery());
  return rows[0]?.count ?? 0;
}

/** The responses of all forms after an id and before another, in the order of their ids, with the id of the last. */
export async function readCreatedAfter(pool: Queryable, { after, before, limit }: { after: string; before: string; limit: number }): Promise<{ events: AcceptedEvent[]; last: string | undefined }> {
  const { rows } = await pool.query<{ last: string | null; count: number }>(
    'select max(id) as last, count(*)::int as count from (select id from responses where id > $1 and id < $2 order by id limit $3) page',
    [after, before, limit],
  );
  const last = rows[0]?.last ?? undefined;
  if (last === undefined) return { events: [], last };
  const events = await readEvents(pool, sql`
    select ${createdEvent} from responses r where r.id > ${after} and r.id <= ${last} and r.amended_by_id is null and r.integrations_version is not null`);
  return { events, last };
}

/** The changes of all forms after a position that are older than `lagMs`, in their order. */
export function readChangesAfter(pool: Queryable, { after, lagMs, limit }: { after: number; lagMs: number; limit: number }): Promise<AcceptedEvent[]> {
  return readEvents(pool, sql`
    select ${changeEvent} from changes c
    where c.position > ${after} and c.created_at < now() - make_interval(secs => ${lagMs}::float8 / 1000)
    order by c.position limit ${limit}`);
}
