import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { loadBackup } from '../../src/backup/load-backup.ts';
import { takeBackup } from '../../src/backup/take-backup.ts';
import { migrate, migrationNames, schemaDrift } from '../../src/db/migrate.ts';
import { insertAnyRows, missingRows, type AnyRow } from '../support/any-rows.ts';
import { runFormwire } from '../support/command.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts';
import { seedForm, seedWebhook, withClient } from '../support/pipeline.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const fill = (databaseUrl: string): Promise<AnyRow[]> =>
  withClient(databaseUrl, async (client) => [...(await insertAnyRows(client, 1)), ...(await insertAnyRows(client, 2))].filter(({ table }) => table !== 'rate_buckets'));
const lostIn = (databaseUrl: string, rows: readonly AnyRow[]): Promise<AnyRow[]> => withClient(databaseUrl, (client) => missingRows(client, rows));
const noKeys = () => Promise.resolve([]);
const take = (databaseUrl: string, dir: string) => takeBackup({ databaseUrl, dir, sealingKeys: noKeys });
const load = (databaseUrl: string, dir: string) => loadBackup({ databaseUrl, dir, known: migrationNames() });

test('a backup has every row of every table, and an empty database has them again when it is restored', async () => {
  await using database = await createTestDatabase();
  await using empty = await createEmptyDatabase();
  using folder = createTemporaryDirectory();
  const dir = path.join(folder.path, 'backup');
  const rows = await fill(database.url);
  const manifest = await take(database.url, dir);
  expect(manifest.tables.map(({ name }) => name).toSorted()).toEqual([...new Set(rows.map(({ table }) => table))].toSorted());

  await load(empty.url, dir);
  expect(await lostIn(empty.url, rows)).toEqual([]);
  const counts = (url: string) => withClient(url, async (client) => (await client.query(manifest.tables.map(({ name }) => `select '${name}' as name, count(*)::int from ${name}`).join(' union all '))).rows);
  expect(await counts(empty.url)).toEqual(await counts(database.url));
  const triggers = await withClient(empty.url, async (client) => (await client.query(`select count(*)::int as off from pg_trigger where tgenabled <> 'O'`)).rows);
  expect(triggers).toEqual([{ off: 0 }]);
});

test('a backup of an older version is brought to this one when it is restored', async () => {
  await using old = await createEmptyDatabase();
  await using empty = await createEmptyDatabase();
  using folder = createTemporaryDirectory();
  const dir = path.join(folder.path, 'backup');
  await migrate(old.url, { to: '20261124-api-keys' });
  const rows = await fill(old.url);
  await take(old.url, dir);
  await load(empty.url, dir);
  expect(await lostIn(empty.url, rows)).toEqual([]);
  expect(await schemaDrift(empty.url)).toBe('');
  // as the migration to members has it
  const members = await withClient(empty.url, async (client) => (await client.query('select count(*)::int as count from memberships')).rows);
  expect(members).toEqual([{ count: 2 }]);
});

test('a damaged file, or one that is missing, is refused by its name, and nothing of the backup is in the database', async () => {
  await using database = await createTestDatabase();
  await using empty = await createEmptyDatabase();
  using folder = createTemporaryDirectory();
  const dir = path.join(folder.path, 'backup');
  const rows = await fill(database.url);
  await take(database.url, dir);
  const file = path.join(dir, 'users.copy.gz');
  const whole = readFileSync(file);
  const changed = Buffer.from(whole);
  changed[4] = (changed[4] ?? 0) ^ 1; // the time in gzip's header, which its own checksum does not cover
  for (const [bytes, reason] of [[whole.subarray(0, -9), /users.copy.gz cannot be loaded/], [changed, /users.copy.gz is not what was backed up/]] as const) {
    writeFileSync(file, bytes);
    await expect(load(empty.url, dir)).rejects.toThrow(reason);
    expect(await lostIn(empty.url, rows)).toHaveLength(rows.length);
  }
  writeFileSync(file, whole);
  await load(empty.url, dir);
  expect(await lostIn(empty.url, rows)).toEqual([]);
});

test('nothing is overwritten: neither a database that has rows, nor a folder', async () => {
  await using database = await createTestDatabase();
  using folder = createTemporaryDirectory();
  const dir = path.join(folder.path, 'backup');
  const rows = await fill(database.url);
  await take(database.url, dir);
  await expect(load(database.url, dir)).rejects.toThrow(/The database has \w+ already/);
  expect(await lostIn(database.url, rows)).toEqual([]);
  await expect(take(database.url, dir)).rejects.toThrow('is there already');
  await expect(load(database.url, folder.path)).rejects.toThrow('is no backup, or an unfinished one');
  await expect(take(database.url.replace(/\w+$/, 'template1'), path.join(folder.path, 'other'))).rejects.toThrow('no tables of Formwire');
  expect(readdirSync(folder.path)).toEqual(['backup']);
});

test('on the command line: a backup, a restore that names the key it lacks, and the restored database is sound with it', { timeout: 60_000 }, async () => {
  await using database = await createTestDatabase();
  await using empty = await createEmptyDatabase();
  using folder = createTemporaryDirectory();
  const dir = path.join(folder.path, 'backup');
  await seedWebhook(database.url, { ...(await seedForm(database.url)), url: 'https://example.org' });
  const key = { FORMWIRE_SECRETS_KEY: Buffer.alloc(32, 1).toString('base64') };
  expect(await runFormwire(['reseal', '--json'], { DATABASE_URL: database.url, ...key })).toMatchObject({ code: 0, json: { resealed: 1 } });

  const taken = await runFormwire(['backup', dir], { DATABASE_URL: database.url });
  expect(taken).toMatchObject({ code: 0, stdout: expect.stringMatching(/\d+ rows, as of .*The keys are not in it/s) });
  const restored = await runFormwire(['restore', dir, '--json'], { DATABASE_URL: empty.url });
  expect(restored).toMatchObject({ code: 3, json: { missingKeys: [expect.stringMatching(/^[0-9a-f]{8}$/)] } });
  expect((await runFormwire(['restore', dir], { DATABASE_URL: empty.url })).stderr).toMatch(/The database has \w+ already/);
  const examined = await runFormwire(['doctor', '--json'], { DATABASE_URL: empty.url, NATS_URL: 'nats://127.0.0.1:1', ...key });
  expect(examined.json).toContainEqual({ check: 'secrets', state: 'sound', seen: 'open, of 1 integration' });
  expect((await runFormwire(['backup'], { DATABASE_URL: database.url })).code).toBe(2);
});
