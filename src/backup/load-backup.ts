import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { migrate } from '../db/migrate.ts';
import { readMigrations } from './catalog.ts';
import { manifestFile, parseManifest, refusal, type Manifest } from './manifest.ts';
import { loadTable } from './table-files.ts';

export interface RestoreOptions {
  databaseUrl: string;
  dir: string;
  /** The names of all migrations that this version has. */
  known: readonly string[];
  onTable?: ((done: number, total: number) => void) | undefined;
}

/** What a folder says that it has. Throws a sentence where it is no backup. */
export function readManifest(dir: string): Manifest {
  const file = path.join(dir, manifestFile);
  if (!existsSync(file)) throw new Error(`${dir} is no backup, or an unfinished one: there is no ${manifestFile} in it.`);
  return parseManifest(readFileSync(file, 'utf8'));
}

/**
 * Puts a backup into an empty database, which is of this version then: it is loaded into the schema that it was taken
 * from, in one transaction, and goes through the migrations since. Where it fails the database is as empty as before,
 * and it may be tried again. Throws a sentence where it does not fit.
 */
export async function loadBackup({ databaseUrl, dir, known, onTable }: RestoreOptions): Promise<Manifest> {
  const manifest = readManifest(dir);
  const client = new Client({ connectionString: databaseUrl, application_name: 'formwire-restore', connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the statement fails
  await client.connect();
  try {
    const reason = refusal({ backup: manifest.migrations, database: await readMigrations(client), known });
    if (reason !== undefined) throw new Error(reason);
    await migrate(databaseUrl, { to: manifest.migrations.at(-1) ?? '' });
    await client.query('begin');
    await requireEmpty(client, manifest);
    await loadAll(client, { dir, manifest, onTable });
    await client.query('commit');
    await client.query('analyze');
  } finally {
    await client.end(); // what is not committed is rolled back
  }
  await migrate(databaseUrl);
  return manifest;
}

/** What a migration itself put there is no matter: the backup has it too. */
const filledByMigrations = ['partition_leases'];

async function requireEmpty(client: Client, { tables }: Manifest): Promise<void> {
  for (const { name } of tables.filter((table) => !filledByMigrations.includes(table.name))) {
    const { rowCount } = await client.query(`select from ${client.escapeIdentifier(name)} limit 1`);
    if (rowCount) throw new Error(`The database has ${name} already. Restore into an empty one: nothing is ever overwritten.`);
  }
}

/** Triggers are off meanwhile: what they would write is in the backup as well. */
async function loadAll(client: Client, { dir, manifest, onTable }: Pick<RestoreOptions, 'dir' | 'onTable'> & { manifest: Manifest }): Promise<void> {
  const { tables, sequences } = manifest;
  const name = (table: string): string => client.escapeIdentifier(table);
  await client.query(`truncate ${tables.map((table) => name(table.name)).join(', ')}`);
  for (const [index, entry] of tables.entries()) {
    await client.query(`alter table ${name(entry.name)} disable trigger user`);
    await loadTable(client, dir, entry);
    await client.query(`alter table ${name(entry.name)} enable trigger user`);
    onTable?.(index + 1, tables.length);
  }
  for (const sequence of sequences) await client.query('select setval($1::regclass, $2::bigint)', [sequence.name, sequence.last]);
}
