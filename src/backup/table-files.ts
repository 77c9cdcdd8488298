import { createHash, type Hash } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import path from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { constants, createGunzip, createGzip } from 'node:zlib';
import type { ClientBase } from 'pg';
import { from as copyFrom, to as copyTo } from 'pg-copy-streams';
import type { Table } from './catalog.ts';
import type { TableEntry } from './manifest.ts';

const named = (client: ClientBase, { name, columns }: Pick<Table, 'name' | 'columns'>): string =>
  `${client.escapeIdentifier(name)} (${columns.map((column) => client.escapeIdentifier(column)).join(', ')})`;

/** Passes bytes on, and takes them into account. */
const hashing = (hash: Hash): Transform =>
  new Transform({
    transform: (chunk: Buffer, _encoding, done) => {
      hash.update(chunk);
      done(null, chunk);
    },
  });

/** Writes what a table has into a file of its own, as fast as the disk takes it. */
export async function writeTable(client: ClientBase, dir: string, table: Table): Promise<TableEntry> {
  const file = `${table.name}.copy.gz`;
  const hash = createHash('sha256');
  const rows = client.query(copyTo(`copy ${named(client, table)} to stdout`));
  const target = createWriteStream(path.join(dir, file), { flags: 'wx', mode: 0o600, flush: true });
  await pipeline(rows, createGzip({ level: constants.Z_BEST_SPEED }), hashing(hash), target);
  return { name: table.name, columns: table.columns, rows: rows.rowCount, file, sha256: hash.digest('hex') };
}

/** Loads a table from its file. Throws where the file is not what it was: the transaction is to be rolled back then. */
export async function loadTable(client: ClientBase, dir: string, entry: TableEntry): Promise<void> {
  const hash = createHash('sha256');
  const rows = client.query(copyFrom(`copy ${named(client, entry)} from stdin`));
  try {
    await pipeline(createReadStream(path.join(dir, entry.file)), hashing(hash), createGunzip(), rows);
  } catch (cause) {
    throw new Error(`${entry.file} cannot be loaded: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
  if (hash.digest('hex') !== entry.sha256) throw new Error(`${entry.file} is not what was backed up: its checksum is another one.`);
  if (rows.rowCount !== entry.rows) throw new Error(`${entry.file} has ${rows.rowCount} rows, and the backup had ${entry.rows}.`);
}
