import type { ClientBase, Pool } from 'pg';
import { joinReplay, oldestPending, pendingSince, waitingOrder } from '../deliveries/pending-since.ts';
import { inTransaction } from '../transaction.ts';

/** What PostgreSQL says of the whole installation. */
export interface StoredState {
  /** Rows of the outbox, counted up to `mostCounted`. */
  outbox: number;
  outboxOldestSeconds: number;
  dispatchers: number;
  partitionsWithoutOwner: number;
  databaseBytes: number;
  /** Deliveries that are due and nowhere, counted up to `mostCounted`. */
  missing: number;
  /** How long ago the check for these came round; 0 where it never has. */
  completenessSeconds: number;
  /** By provider and age, counted up to `mostCounted` together, those that wait for longest first. */
  pending: AgedCount[];
  /** For how long the first of all of them waits, however many there are; 0 where none does. */
  pendingOldestSeconds: number;
  /** By provider and age too, the newest first. */
  dead: AgedCount[];
  /** By outside service, how far ahead its turns are given out at most. */
  quotas: { service: string; waitSeconds: number }[];
  integrations: { provider: string; status: string; count: number }[];
}

export interface AgedCount {
  provider: string;
  age: string;
  count: number;
}

/** So many rows of a kind are counted and no more: a disaster must not be followed by a long query each minute. */
export const mostCounted = 100_000;
const timeoutMs = 5_000;

const aged = (since: string, classes: readonly (readonly [string, string])[], beyond: string): string =>
  `case ${classes.map(([interval, name]) => `when ${since} > now() - interval '${interval}' then '${name}'`).join(' ')} else '${beyond}' end`;
const pendingAge = aged(pendingSince, [['1 minute', 'under_1m'], ['1 hour', 'under_1h'], ['1 day', 'under_1d']], 'over_1d');
const deadAge = aged('d.finished_at', [['1 hour', 'under_1h'], ['1 day', 'under_1d'], ['7 days', 'under_7d']], 'over_7d');

const agedColumns = 'integration_id, created_at, redelivered_at, replay_id, finished_at';
/** Those that wait for longest first; of replays, which nobody waits for, as many as there is room for. */
const somePending = `
  (select ${agedColumns} from deliveries where status = 'pending' and replay_id is null ${waitingOrder} limit ${mostCounted})
  union all (select ${agedColumns} from deliveries where status = 'pending' and replay_id is not null limit ${mostCounted}) limit ${mostCounted}`;
/** The newest first: those nobody has looked at. */
const someDead = `select ${agedColumns} from deliveries where status = 'dead' order by finished_at desc limit ${mostCounted}`;

const counted = (rows: string, age: string): string => `(
  select coalesce(json_agg(found), '[]') from (
    select i.provider, ${age} as age, count(*)::int as count
    from (${rows}) d
    ${joinReplay}
    join integrations i on i.id = d.integration_id
    group by 1, 2
  ) found
)`;

/** The one statement. */
export const readStored = `
  select
    (select count(*)::int from (select 1 from outbox limit ${mostCounted}) o) as outbox,
    coalesce((select extract(epoch from now() - created_at)::float8 from outbox order by position limit 1), 0) as "outboxOldestSeconds",
    (select count(*)::int from dispatchers where expires_at > now()) as dispatchers,
    (select count(*)::int from partition_leases where owner is null or expires_at < now()) as "partitionsWithoutOwner",
    (select count(*)::int from (select 1 from missing_deliveries limit ${mostCounted}) m) as missing,
    coalesce((select extract(epoch from now() - max(walked_at))::float8 from completeness_walks), 0) as "completenessSeconds",
    pg_database_size(current_database())::float8 as "databaseBytes",
    ${counted(somePending, pendingAge)} as pending,
    ${counted(someDead, deadAge)} as dead,
    coalesce(extract(epoch from now() - ${oldestPending})::float8, 0) as "pendingOldestSeconds",
    (select coalesce(json_agg(found), '[]') from (
      select split_part(name, ':', 1) as service, max(greatest(0, extract(epoch from next_at - now())))::float8 as "waitSeconds" from quotas group by 1
    ) found) as quotas,
    (select coalesce(json_agg(found), '[]') from (
      select provider, status, count(*)::int as count from integrations where deleted_at is null group by 1, 2
    ) found) as integrations`;

/** Reads it in one statement of at most five seconds, which sees at most 100,000 rows of each kind. */
export async function readStoredState(pool: Pool): Promise<StoredState> {
  return inTransaction(pool, async (client) => {
    await client.query(`set local statement_timeout = ${timeoutMs}`);
    return stateIn(client);
  });
}

/** The same within a transaction of the caller's. */
export async function stateIn(client: ClientBase): Promise<StoredState> {
  const { rows } = await client.query<StoredState>(readStored);
  const [state] = rows;
  if (!state) throw new Error('the database answered no row');
  return state;
}
