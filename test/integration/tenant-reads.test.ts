import { afterAll, beforeAll, expect, test } from 'vitest';
import { Organization } from '../../src/accounts/organization.entity.ts';
import { openOrm } from '../../src/db/orm.ts';
import { openTenantReads } from '../../src/db/tenant-reads.ts';
import { onBehalfOf, viewerOfOperation } from '../../src/graphql/on-behalf-of.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';
import { silentLog } from '../../src/log.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { withClient } from '../support/pipeline.ts';
import { insertTenant } from '../support/rows.ts';
import { viewerOf } from '../support/tenants.ts';

let database: TestDatabase;
let viewers: (Viewer | undefined)[];

beforeAll(async () => {
  database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  viewers = [viewerOf(await insertTenant(pool)), viewerOf(await insertTenant(pool)), undefined];
  await pool.end();
});
afterAll(() => database[Symbol.asyncDispose]());

/** Reads as the API does, over so many connections. */
async function openReads(max: number) {
  const pool = openTenantReads({ url: database.url, max, log: silentLog, viewer: viewerOfOperation });
  const orm = await openOrm(database.url, { poolSize: 1, reads: pool });
  const close = async (): Promise<void> => {
    await orm.close(true);
    await pool.end();
  };
  return { pool, orm, [Symbol.asyncDispose]: close };
}

type Reads = Awaited<ReturnType<typeof openReads>>;

/** One read of every organisation there is, in one of the ways there are. Answers the ids that were seen. */
async function seen({ pool, orm }: Reads, way: number): Promise<string[]> {
  switch (way % 4) {
    case 0:
      return (await pool.query<{ id: string }>('select id from organizations')).rows.map(({ id }) => id);
    case 1:
      return (await pool.query<{ id: string }>({ name: 'seen', text: 'select id from organizations where $1', values: [true] })).rows.map(({ id }) => id);
    case 2:
      return (await orm.em.fork().find(Organization, {})).map(({ id }) => id);
    default: {
      const client = await pool.connect();
      try {
        await client.query('select pg_sleep(0.001)');
        return (await client.query<{ id: string }>('select id from organizations')).rows.map(({ id }) => id);
      } finally {
        client.release();
      }
    }
  }
}

const expected = (viewer: Viewer | undefined): string[] => (viewer ? [viewer.organizationId] : []);

test.for([1, 2])('of many who read at once over %d connections each sees their own organisation', async (max) => {
  await using reads = await openReads(max);
  const asked = Array.from({ length: 600 }, (_, index) => ({ way: index, viewer: viewers[(index * 7) % 3] }));
  const answers = await Promise.all(asked.map(({ way, viewer }) => onBehalfOf({ viewer }, () => seen(reads, way))));
  expect(answers).toEqual(asked.map(({ viewer }) => expected(viewer)));
  expect(reads.pool.totalCount).toBe(max);
});

test('so they do among statements that fail, are cancelled, and lose their connection', async () => {
  await using reads = await openReads(2);
  const disturb = (what: 'pg_cancel_backend' | 'pg_terminate_backend') =>
    withClient(database.url, (client) => client.query(`select ${what}(pid) from pg_stat_activity where application_name = 'formwire-tenant' and datname = current_database()`));
  const failing = (way: number) => (way % 2 ? reads.pool.query('select 1/0') : reads.orm.em.getConnection('read').execute('select 1/0'));
  const disturbing = (async () => {
    for (let round = 0; round < 12; round += 1) await disturb(round % 3 ? 'pg_cancel_backend' : 'pg_terminate_backend');
  })();

  const asked = Array.from({ length: 900 }, (_, index) => ({ way: index, viewer: viewers[(index * 7) % 3] }));
  const answers = await Promise.allSettled(
    asked.map(({ way, viewer }) => onBehalfOf({ viewer }, async () => (way % 5 === 0 ? failing(way).then(() => []) : seen(reads, way)))),
  );
  await disturbing;

  const wrong = answers.filter((answer, index) => answer.status === 'fulfilled' && JSON.stringify(answer.value) !== JSON.stringify(expected(asked[index]?.viewer)));
  expect(wrong).toEqual([]);
  expect(answers.filter(({ status }) => status === 'fulfilled').length).toBeGreaterThan(300);
  for (const viewer of viewers) expect(await onBehalfOf({ viewer }, () => seen(reads, 0))).toEqual(expected(viewer));
  expect(reads.pool.totalCount).toBeLessThanOrEqual(2);
});

test('a connection keeps its settings for the next statement of the same viewer', async () => {
  await using reads = await openReads(1);
  const count = async () =>
    withClient(database.url, async (client) => (await client.query(`select query from pg_stat_activity where application_name = 'formwire-tenant' and datname = current_database()`)).rows);
  const [viewer] = viewers;
  await onBehalfOf({ viewer }, async () => {
    const client = await reads.pool.connect();
    client.release();
    expect(await count()).toEqual([{ query: expect.stringContaining('set_config') }]);
    await seen(reads, 0);
    const again = await reads.pool.connect();
    again.release();
    expect(await count()).toEqual([{ query: 'select id from organizations' }]);
  });
});

test('a connection that did not get its settings is lent to nobody', async () => {
  await using reads = await openReads(1);
  const [first, second] = viewers;
  await onBehalfOf({ viewer: first }, () => seen(reads, 0));
  reads.pool.once('acquire', (client) => {
    client.query = () => {
      Reflect.deleteProperty(client, 'query');
      return Promise.reject(new Error('cancelled'));
    };
  });
  await expect(onBehalfOf({ viewer: second }, () => seen(reads, 0))).rejects.toThrow('cancelled');
  for (const viewer of [second, first]) expect(await onBehalfOf({ viewer }, () => seen(reads, 0))).toEqual(expected(viewer));
});

test('a connection whose role was dropped on the way is not read with', async () => {
  const pooled = new URL(database.url);
  pooled.searchParams.set('options', '-c application_name=formwire-tenant');
  const pool = openTenantReads({ url: pooled.href, max: 1, log: silentLog, viewer: viewerOfOperation });
  pool.once('connect', (client) => void client.query('set role none'));
  await expect(pool.query('select 1')).rejects.toThrow('does a pooler drop the option');
  await expect(pool.query('select 1')).resolves.toMatchObject({ rowCount: 1 });
  await pool.end();
});
