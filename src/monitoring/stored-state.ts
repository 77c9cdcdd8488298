import type { Pool } from 'pg';
import { joinReplay, pendingSince } from '../deliveries/pending-since.ts';
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
  /** By provider and age, counted up to `mostCounted` together. */
  pending: AgedCount[];
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

/** The newest dead ones first: those nobody has looked at. */
const counted = (status: 'pending' | 'dead', age: string): string => `(
  select coalesce(json_agg(found), '[]') from (
    select i.provider, ${age} as age, count(*)::int as count
    from (select integration_id, created_at, redelivered_at, replay_id, finished_at from deliveries where status = '${status}' ${status === 'dead' ? 'order by finished_at desc' : ''} limit ${mostCounted}) d
    ${joinReplay}
    join integrations i on i.id = d.integration_id
    group by 1, 2
  ) found
)`;

const read = `
  select
    (select count(*)::int from (select 1 from outbox limit ${mostCounted}) o) as outbox,
    coalesce((select extract(epoch from now() - created_at)::float8 from outbox order by position limit 1), 0) as "outboxOldestSeconds",
    (select count(*)::int from dispatchers where expires_at > now()) as dispatchers,
    (select count(*)::int from partition_leases where owner is null or expires_at < now()) as "partitionsWithoutOwner",
    (select count(*)::int from (select 1 from missing_deliveries limit ${mostCounted}) m) as missing,
    coalesce((select extract(epoch from now() - max(walked_at))::float8 from completeness_walks), 0) as "completenessSeconds",
    pg_database_size(current_database())::float8 as "databaseBytes",
    ${counted('pending', pendingAge)} as pending,
    ${counted('dead', deadAge)} as dead,
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
    const { rows } = await client.query<StoredState>(read);
    const [state] = rows;
    if (!state) throw new Error('the database answered no row');
    return state;
  });
}
