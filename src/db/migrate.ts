import { readdirSync } from 'node:fs';
import { Client } from 'pg';
import { beginPositionsAnew } from '../outbox/begin-positions.ts';
import { noteOldest, refuseTooOld } from './compatibility.ts';
import { migrationsPath, openOrm } from './orm.ts';
import { boundLockWaits, givingWay, pastLocks, type Blocked, type GivingWay } from './past-locks.ts';
import { ensureReaderRole } from './reader-role.ts';

/** The names of all that this version has, in their order. */
export const migrationNames = (): string[] =>
  readdirSync(migrationsPath)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.replace(/\.ts$/, ''))
    .toSorted();

/** Names the lock that keeps two starting processes from migrating at the same time. */
const migrationLock = 0x464f524d; // "FORM"

export interface MigrateOptions {
  /** The last migration to run; otherwise all are. */
  to?: string;
  bounds?: GivingWay;
  onBlocked?: (blocked: Blocked) => void;
}

/**
 * Makes a database ready for this version: brings it to the newest schema (or to the migration `to`), its cluster to the
 * role that the API reads with, and its positions beyond what anybody has seen. Safe to call from several processes at
 * once: one does it, the others wait. All migrations are one transaction: where one fails, the database stays as it was.
 * Where somebody has a table that it needs, it tries again, as `givingWay` says, and tells `onBlocked`. Answers those that
 * it has of a newer version, with which this one can run; throws a sentence where it cannot.
 */
export async function migrate(databaseUrl: string, { to, bounds = givingWay, onBlocked = () => undefined }: MigrateOptions = {}): Promise<string[]> {
  await ensureReaderRole(databaseUrl);
  return locked(databaseUrl, async (client) => {
    await refuseTooOld(client);
    const orm = await openOrm(databaseUrl, { poolSize: 2, onPool: (pool) => boundLockWaits(pool, bounds.lockTimeoutMs) });
    try {
      await pastLocks(() => orm.migrator.up(to === undefined ? {} : { to }), { client, bounds, onBlocked });
    } finally {
      await orm.close(true);
    }
    await noteOldest(client);
    await beginPositionsAnew(client);
    const { rows } = await client.query<{ name: string }>('select name from mikro_orm_migrations where name <> all($1) order by id', [migrationNames()]);
    return rows.map(({ name }) => name);
  });
}

/** The lock is of a session, and a pool would end one that is idle for longer than a migration may take. */
async function locked<T>(databaseUrl: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000, keepAlive: true });
  client.on('error', () => undefined); // the next statement fails
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    return await work(client);
  } finally {
    await client.end(); // gives up the lock
  }
}

/** The statements that would bring the newest migration to what the entities say: none, unless one is missing. */
export async function schemaDrift(databaseUrl: string): Promise<string> {
  const orm = await openOrm(databaseUrl, { poolSize: 2 });
  try {
    return (await orm.schema.getUpdateSchemaSQL({ wrap: false })).trim();
  } finally {
    await orm.close(true);
  }
}
