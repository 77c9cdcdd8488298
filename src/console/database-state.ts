import type { Pool } from 'pg';
import type { Id } from '../events/id.ts';
import { readProcesses, type ProcessRow } from '../processes/process-rows.ts';

/** What PostgreSQL says of the installation. */
export interface DatabaseState {
  version: string;
  bytes: number;
  outbox: { events: number; oldestAgeMs: number | null };
  processes: ProcessRow[];
  dispatchers: { id: Id<'dsp'>; expiresInMs: number }[];
  partitions: { partition: number; owner: Id<'dsp'> | null; expiresInMs: number | null }[];
}

const msUntil = (column: string): string => `(extract(epoch from ${column} - now()) * 1000)::float8`;

/** All by the database's clock. */
export async function readDatabaseState(pool: Pool): Promise<DatabaseState> {
  const { rows: facts } = await pool.query<Omit<DatabaseState, 'outbox' | 'processes' | 'dispatchers' | 'partitions'> & { events: number; oldestAgeMs: number | null }>(`
    select current_setting('server_version') as version, pg_database_size(current_database())::float8 as bytes,
           (select count(*)::int from outbox) as events,
           (select -${msUntil('created_at')} from outbox order by position limit 1) as "oldestAgeMs"`);
  const { rows: dispatchers } = await pool.query<DatabaseState['dispatchers'][number]>(
    `select id, ${msUntil('expires_at')} as "expiresInMs" from dispatchers where expires_at > now() order by id`,
  );
  const { rows: partitions } = await pool.query<DatabaseState['partitions'][number]>(`
    select partition, case when expires_at > now() then owner end as owner, case when expires_at > now() then ${msUntil('expires_at')} end as "expiresInMs"
    from partition_leases order by partition`);
  const [fact] = facts;
  if (!fact) throw new Error('PostgreSQL answered nothing');
  const { events, oldestAgeMs, ...rest } = fact;
  return { ...rest, outbox: { events, oldestAgeMs }, processes: await readProcesses(pool), dispatchers, partitions };
}
