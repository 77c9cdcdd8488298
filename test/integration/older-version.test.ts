import { expect, test } from 'vitest';
import { oldestOnSchema, readOldest } from '../../src/db/compatibility.ts';
import { migrate } from '../../src/db/migrate.ts';
import { runFormwire } from '../support/command.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts';
import { startInstallation } from '../support/installation.ts';
import { withClient } from '../support/pipeline.ts';

/** What a newer version leaves, of which this one knows nothing. */
const migrateFurther = (databaseUrl: string, comment?: string): Promise<void> =>
  withClient(databaseUrl, async (client) => {
    await client.query(`insert into mikro_orm_migrations (name) values ('20990101-newer')`);
    if (comment !== undefined) await client.query(`comment on table mikro_orm_migrations is '${comment}'`);
  });
const oldestOf = (databaseUrl: string): Promise<string | undefined> => withClient(databaseUrl, readOldest);

test('a database says which is the oldest version that can run on it', async () => {
  await using database = await createEmptyDatabase();
  expect(await migrate(database.url)).toEqual([]);
  expect(await oldestOf(database.url)).toBe(oldestOnSchema);
});

test('where a newer version has only added, an older one starts as before, and the newer one’s word stays', async () => {
  await using database = await createTestDatabase();
  await migrateFurther(database.url);
  expect(await migrate(database.url)).toEqual(['20990101-newer']);
  expect(await oldestOf(database.url)).toBe(oldestOnSchema);
  const { json } = await runFormwire(['doctor', '--json'], { DATABASE_URL: database.url });
  expect(json).toContainEqual(expect.objectContaining({ check: 'schema', state: 'doubtful', seen: expect.stringContaining('20990101-newer') }));
});

test('and says so in its log', async () => {
  await using database = await createTestDatabase();
  await migrateFurther(database.url);
  await using installation = await startInstallation({ apis: 1, dispatchers: 0, natsServers: 1, databaseUrl: database.url });
  expect(installation.apis[0]?.output()).toMatch(/20990101-newer.*schema\.newer/);
});

test('where a newer version has taken away what an older one needs, that one does not start, and says why', async () => {
  await using database = await createTestDatabase();
  await migrateFurther(database.url, 'Formwire 99.1.0 and newer run on this schema.');
  const reason = /needs Formwire 99\.1\.0 or newer, and this is \d/;
  await expect(migrate(database.url)).rejects.toThrow(reason);
  expect(await runFormwire(['migrate'], { DATABASE_URL: database.url })).toMatchObject({ code: 1, stderr: expect.stringMatching(reason) });
  const { json } = await runFormwire(['doctor', '--json'], { DATABASE_URL: database.url });
  expect(json).toContainEqual(expect.objectContaining({ check: 'schema', state: 'wrong', seen: expect.stringMatching(reason) }));
  expect(await oldestOf(database.url)).toBe('99.1.0');
});
