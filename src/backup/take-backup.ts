import { existsSync, mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { loadingOrder, readMigrations, readSequences, readTables } from './catalog.ts';
import { manifestFile, type Manifest } from './manifest.ts';
import { writeTable } from './table-files.ts';

export interface BackupOptions {
  databaseUrl: string;
  /** A folder that is not there yet. */
  dir: string;
  /** Names the keys that seal secrets, as one client of the snapshot sees them. */
  sealingKeys: (client: Client) => Promise<string[]>;
  /** Told of each table that is written. */
  onTable?: ((done: number, total: number) => void) | undefined;
}

/**
 * Copies all that a database has into a folder, as it is at one moment, while everything runs. The folder appears under
 * its name when it is complete and on disk. Throws a sentence where it is there already, or where there is nothing to copy.
 */
export async function takeBackup({ databaseUrl, dir, sealingKeys, onTable }: BackupOptions): Promise<Manifest> {
  if (existsSync(dir)) throw new Error(`${dir} is there already: a backup makes its own folder.`);
  const unfinished = `${dir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  mkdirSync(unfinished, { recursive: true, mode: 0o700 });
  const client = new Client({ connectionString: databaseUrl, application_name: 'formwire-backup', connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the statement fails
  try {
    await client.connect();
    await client.query('begin isolation level repeatable read read only');
    const manifest = await copyAll(client, { dir: unfinished, sealingKeys, onTable });
    writeFileSync(path.join(unfinished, manifestFile), `${JSON.stringify(manifest, null, 2)}\n`, { mode: 0o600, flush: true });
    renameSync(unfinished, dir);
    return manifest;
  } catch (error) {
    rmSync(unfinished, { recursive: true, force: true });
    throw error;
  } finally {
    await client.end();
  }
}

/** The first statement takes the snapshot that all others see; sequences have none, and are read last: they only grow. */
async function copyAll(client: Client, { dir, sealingKeys, onTable }: Pick<BackupOptions, 'dir' | 'sealingKeys' | 'onTable'>): Promise<Manifest> {
  const migrations = await readMigrations(client);
  if (migrations.length === 0) throw new Error('The database has no tables of Formwire.');
  const { rows } = await client.query<{ now: Date }>('select now() as now');
  const tables = loadingOrder(await readTables(client));
  const entries: Manifest['tables'] = [];
  for (const table of tables) {
    entries.push(await writeTable(client, dir, table));
    onTable?.(entries.length, tables.length);
  }
  return {
    format: 1,
    takenAt: rows[0]?.now.toISOString() ?? '',
    migrations,
    tables: entries,
    sequences: await readSequences(client),
    sealingKeys: await sealingKeys(client),
  };
}
