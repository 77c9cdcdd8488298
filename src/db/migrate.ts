import { readdirSync } from 'node:fs';
import { Client } from 'pg';
import { beginPositionsAnew } from '../outbox/begin-positions.ts';
import { migrationsPath, openOrm } from './orm.ts';
import { ensureReaderRole } from './reader-role.ts';

/** The names of all that this version has, in their order. */
export const migrationNames = (): string[] =>
  readdirSync(migrationsPath)
    .filter((name) => name.endsWith('.ts'))
    .map((name) => name.replace(/\.ts$/, ''))
    .toSorted();

/** Names the lock that keeps two starting processes from migrating at the same time. */
const migrationLock = 0x464f524d; // "FORM"

/**
 * Makes a database ready for this version: brings it to the newest schema (or to the migration `to`), its cluster to the
 * role that the API reads with, and its positions beyond what anybody has seen. Safe to call from several processes at
 * once: one does it, the others wait. All migrations are one transaction: where one fails, the database stays as it was.
 */
export async function migrate(databaseUrl: string, { to }: { to?: string } = {}): Promise<void> {
  await ensureReaderRole(databaseUrl);
  await locked(databaseUrl, async (client) => {
    const orm = await openOrm(databaseUrl, { poolSize: 2 });
    try {
      await orm.migrator.up(to === undefined ? {} : { to });
    } finally {
      await orm.close(true);
    }
    await beginPositionsAnew(client);
  });
}

/** The lock is of a session, and a pool would end one that is idle for longer than a migration may take. */
async function locked(databaseUrl: string, work: (client: Client) => Promise<void>): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000, keepAlive: true });
  client.on('error', () => undefined); // the next statement fails
  await client.connect();
  try {
    await client.query('select pg_advisory_lock($1)', [migrationLock]);
    await work(client);
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
