import { openOrm } from './orm.ts';
import { ensureReaderRole } from './reader-role.ts';

/** Names the lock that keeps two starting processes from migrating at the same time. */
const migrationLock = 0x464f524d; // "FORM"

/**
 * Brings a database to the newest schema, and its cluster to the role that the API reads with. Safe to call from several
 * processes at once: one migrates, the others wait.
 */
export async function migrate(databaseUrl: string): Promise<void> {
  await ensureReaderRole(databaseUrl);
  const orm = await openOrm(databaseUrl, { poolSize: 2 });
  try {
    await orm.em.getConnection().execute(`select pg_advisory_lock(${migrationLock})`);
    await orm.migrator.up();
  } finally {
    await orm.close(true); // closing the session gives up the lock
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
