import { setTimeout as sleep } from 'node:timers/promises';
import { Client } from 'pg';

/** Reads for the API: subject to the policies of the tables, as their owner is not. One for all databases of a cluster. */
export const readerRole = 'formwire_reader';

const maxRounds = 20;
/** Another process, perhaps over another database of the cluster, has just done the same. */
const conflicts = new Set(['42710', '23505', 'XX000', '40001']);

/**
 * Makes the role of the reader, and lets the user of the database take it, where that is not so already. Throws an
 * Error that says what to run by hand where the user may not do that.
 */
export async function ensureReaderRole(databaseUrl: string, role: string = readerRole): Promise<void> {
  const client = new Client({ connectionString: databaseUrl, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the statement fails
  await client.connect();
  try {
    for (let round = 1; ; round += 1) {
      const missing = await findMissing(client, role);
      if (missing.length === 0) break;
      await provide(client, missing, round < maxRounds);
    }
    await refusePowerful(client, role);
  } finally {
    await client.end();
  }
}

type Statement = string;

/** What has to be run until the user can take the role. */
async function findMissing(client: Client, role: string): Promise<Statement[]> {
  const grant = `grant ${role} to ${client.escapeIdentifier(client.user ?? '')}`;
  try {
    await client.query(`set role ${role}`);
    await client.query('reset role');
    return [];
  } catch (error) {
    if (codeOf(error) === '22023') return [`create role ${role} nologin`, grant];
    if (codeOf(error) === '42501') return [grant];
    throw error;
  }
}

async function provide(client: Client, missing: readonly Statement[], mayRepeat: boolean): Promise<void> {
  try {
    for (const statement of missing) await client.query(statement);
  } catch (cause) {
    const code = codeOf(cause);
    if (mayRepeat && conflicts.has(code)) return sleep(20 + Math.random() * 80);
    if (code !== '42501') throw cause;
    const lines = missing.map((statement) => `  ${statement};`).join('\n');
    throw new Error(`The user of the database may not give itself the role that the API reads with. Let a superuser run this once, then start again:\n${lines}`, { cause });
  }
}

async function refusePowerful(client: Client, role: string): Promise<void> {
  const { rowCount } = await client.query('select 1 from pg_roles where rolname = $1 and (rolsuper or rolbypassrls)', [role]);
  if (rowCount === 0) return;
  throw new Error(`The role ${role} passes by row-level security, which is there to hold it back. Let a superuser run this, then start again:\n  alter role ${role} nosuperuser nobypassrls;`);
}

const codeOf = (error: unknown): string => (error instanceof Error && 'code' in error ? String(error.code) : '');
