import type { Pool } from 'pg';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { createMetrics, type Metrics } from '../../src/monitoring/metrics.ts';
import { oldRows, type Prune } from '../../src/retention/prune.ts';
import { createPruner } from '../../src/retention/pruner.ts';
import { prunesOf } from '../../src/retention/prunes.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { startPipeline, withClient } from '../support/pipeline.ts';
import { insertIntegration, insertJob, insertTenant, type TenantRows } from '../support/rows.ts';
import { parseSamples } from '../support/samples.ts';

const minute = 60_000;
const hour = 60 * minute;
const day = 24 * hour;
const prunes = prunesOf({ attemptMs: 90 * day, endedMs: 30 * day });

const ago = (ms: number): Date => new Date(Date.now() - ms);
const ahead = (ms: number): Date => ago(-ms);

type Row = Record<string, unknown>;

/** What goes of a table and what stays, by what rows say beside what they have in common. */
interface Case {
  /** Tells its rows apart. */
  key: string;
  common: Row;
  goes: Row[];
  stays: Row[];
}

let database: TestDatabase;
let pool: Pool;
let tenant: TenantRows;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url);
  tenant = await insertTenant(pool);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

async function insertRow(table: string, row: Row): Promise<void> {
  const names = Object.keys(row);
  await pool.query(`insert into ${table} (${names.join(', ')}) values (${names.map((_, index) => `$${index + 1}`).join(', ')})`, Object.values(row));
}

const prune = (table: string): Promise<void> =>
  createPruner({ pool, prunes: prunes.filter((one) => one.table === table), log: silentLog }).round(new AbortController().signal);

const keysOf = async (table: string, key: string): Promise<string[]> =>
  (await pool.query<{ key: string }>(`select ${key} as key from ${table} order by 1`)).rows.map((row) => row.key);

const organization = (): Row => ({ organization_id: tenant.organizationId });
const ofJob = (): Row => ({ ...organization(), integration_id: newId('intg'), kind: 'verify', status: 'done', asked: 1, input: '{}', progress: '{}', attempts: 0, created_at: ago(100 * day) });
const ofTracking = (): Row => ({ integration_id: newId('intg'), reference: 'SM1', status: 'sent', rank: 1, is_final: true, follows: 0 });

const cases: Record<string, () => Case> = {
  rate_buckets: () => ({
    key: 'key',
    common: { tokens: 1, granted: 1, updated_at: ago(hour) },
    goes: [{ full_at: ago(1_000) }],
    stays: [{ full_at: ahead(hour) }],
  }),
  quotas: () => ({ key: 'name', common: {}, goes: [{ next_at: ago(1_000) }], stays: [{ next_at: ahead(hour) }] }),
  login_attempts: () => ({
    key: 'key',
    common: { count: 10 },
    goes: [{ resets_at: ago(11 * minute) }],
    stays: [{ resets_at: ago(9 * minute) }, { resets_at: ahead(10 * minute) }],
  }),
  erased_events: () => ({
    key: 'event_id',
    common: {},
    goes: [{ position: 1, erased_at: ago(6 * minute) }],
    stays: [{ position: 2, erased_at: ago(4 * minute) }, { position: 1_000_000, erased_at: ago(day) }], // which is in the outbox
  }),
  sessions: () => ({
    key: 'id',
    common: { ...organization(), user_id: tenant.userId, created_at: ago(40 * day) },
    goes: [{ expires_at: ago(11 * minute) }],
    stays: [{ expires_at: ago(9 * minute) }, { expires_at: ahead(day) }],
  }),
  invitations: () => ({
    key: 'hash',
    common: { ...organization(), id: newId('inv'), invited_by_id: tenant.userId, email: 'ada@example.org', role: 'viewer', form_ids: '[]', created_at: ago(40 * day) },
    goes: [{ expires_at: ago(31 * day) }, { expires_at: ago(29 * day), accepted_at: ago(31 * day) }, { expires_at: ago(29 * day), revoked_at: ago(31 * day) }],
    stays: [{ expires_at: ago(29 * day) }, { expires_at: ahead(day), accepted_at: ago(29 * day) }, { expires_at: ahead(day) }],
  }),
  api_keys: () => ({
    key: 'hash',
    common: { ...organization(), id: newId('key'), created_by_id: tenant.userId, name: 'Import', prefix: 'fwk_', scopes: '[]', created_at: ago(400 * day) },
    goes: [{ expires_at: ago(31 * day) }, { revoked_at: ago(31 * day) }, { expires_at: ahead(day), revoked_at: ago(31 * day) }],
    stays: [{}, { expires_at: ahead(day) }, { expires_at: ago(29 * day) }, { revoked_at: ago(29 * day) }],
  }),
  jobs: () => ({
    key: 'id',
    common: ofJob(),
    goes: [{ finished_at: ago(31 * day) }],
    stays: [{ finished_at: ago(29 * day) }, { finished_at: ago(31 * day), replay_id: newId('rpl') }, { status: 'running' }],
  }),
  trackings: () => ({
    key: 'event_id',
    common: ofTracking(),
    goes: [{ noted_at: ago(91 * day) }],
    stays: [{ noted_at: ago(89 * day) }, { noted_at: ago(91 * day), is_final: false, follow_at: ahead(minute) }],
  }),
  ledger: () => ({
    key: 'key',
    common: { integration_id: newId('intg'), state: '"noted"', noted_at: ago(100 * day) },
    goes: [{ forget_at: ago(1_000) }],
    stays: [{}, { forget_at: ahead(day) }, { forget_at: ago(1_000), place: 0 }],
  }),
};

test('there is a case of every table that is pruned; attempts and secrets have tests of their own', () => {
  expect(Object.keys(cases).concat('attempts', 'integrations').toSorted()).toEqual([...new Set(prunes.map(({ table }) => table))].toSorted());
});

test.for(Object.keys(cases))('of %s what is old goes, and nothing else', async (table) => {
  const { key, common, goes, stays } = cases[table]!();
  await insertRow('outbox', { position: 1_000_000, event_id: newId('evt'), type: 'response.created', ...organization(), form_id: newId('form'), response_id: newId('resp'), integrations_version: 1, created_at: new Date() });
  const insertAll = (rows: Row[], label: string) => Promise.all(rows.map((row, index) => insertRow(table, { ...common, ...('id' in common && { id: `${label} ${index}` }), ...row, [key]: `${label} ${index}` })));
  await insertAll(goes, 'goes');
  await insertAll(stays, 'stays');
  await prune(table);
  expect(await keysOf(table, key)).toEqual(stays.map((_, index) => `stays ${index}`));
  await pool.query('delete from outbox');
});

test('a session takes its refresh tokens with it', async () => {
  const id = newId('ses');
  await insertRow('sessions', { id, ...organization(), user_id: tenant.userId, created_at: ago(40 * day), expires_at: ago(day) });
  for (const hash of ['first', 'second']) await insertRow('refresh_tokens', { hash, session_id: id, created_at: ago(40 * day) });
  await prune('sessions');
  expect(await keysOf('refresh_tokens', 'hash')).toEqual([]);
});

describe('the ledger of an integration', () => {
  const noted = async (deletedAt: Date | null) => {
    const integrationId = await insertIntegration(pool, { ...tenant, deletedAt });
    const ledger = openLedger(pool, integrationId);
    await ledger.reserve(['row']);
    await ledger.note([{ key: 'receipt', state: 'sent', was: null }]);
    return { integrationId, ledger };
  };

  test('goes with its places some time after the integration was deleted, and not before', async () => {
    const [long, lately, not] = [await noted(ago(31 * day)), await noted(ago(29 * day)), await noted(null)];
    await prune('ledger');
    const left = await Promise.all([long, lately, not].map(async ({ ledger }) => (await ledger.read(['row', 'receipt'])).size));
    expect(left).toEqual([0, 2, 2]);
  });

  test('stays while something is to be taken away outside', async () => {
    const { integrationId, ledger } = await noted(ago(31 * day));
    const jobId = await insertJob(pool, { ...tenant, integrationId, kind: 'disconnect' });
    await prune('ledger');
    expect((await ledger.read(['row', 'receipt'])).size).toBe(2);
    await pool.query(`update jobs set status = 'done', finished_at = now() where id = $1`, [jobId]);
    await prune('ledger');
    expect((await ledger.read(['row', 'receipt'])).size).toBe(0);
  });

  test('forgets what has an end, unless something without one was noted since', async () => {
    const ledger = openLedger(pool, newId('intg'));
    const forgetAt = ago(minute);
    await ledger.note([{ key: 'day', state: 1, was: null, forgetAt }, { key: 'renewed', state: 1, was: null, forgetAt }]);
    await ledger.note([{ key: 'renewed', state: 2, was: 1 }]);
    await prune('ledger');
    expect(await ledger.read(['day', 'renewed'])).toEqual(new Map([['renewed', { place: null, state: 2 }]]));
    expect(await ledger.note([{ key: 'day', state: 2, was: 1 }])).toEqual(new Set());
    expect(await ledger.note([{ key: 'day', state: 2, was: null }])).toEqual(new Set(['day']));
  });
});

describe('pages', () => {
  const old = oldRows({ table: 'quotas', everyMs: hour, limit: 2, old: 'next_at < now() order by next_at' });
  const insertOld = async (names: string[]) => {
    for (const [index, name] of names.entries()) await insertRow('quotas', { name, next_at: ago(day - index) });
  };

  test('have so many rows at most, the oldest first, and end where there are fewer', async () => {
    await pool.query('delete from quotas');
    await insertOld(['a', 'b', 'c']);
    expect(await old.page(pool, '')).toEqual({ count: 2, next: '' });
    expect(await keysOf('quotas', 'name')).toEqual(['c']);
    expect(await old.page(pool, '')).toEqual({ count: 1, next: null });
  });

  test('leave out what somebody else is at, and wait for nobody', async () => {
    await insertOld(['a', 'b', 'c']);
    const client = await pool.connect();
    await client.query('begin');
    await client.query(`update quotas set next_at = now() + interval '1 hour' where name = 'a'`);
    expect(await old.page(pool, '')).toMatchObject({ count: 2 });
    await client.query('commit');
    client.release();
    expect(await old.page(pool, '')).toEqual({ count: 0, next: null });
    expect(await keysOf('quotas', 'name')).toEqual(['a']);
  });

  test('of several processes at once come to all rows, each one once', async () => {
    await pool.query('delete from quotas');
    await insertOld(Array.from({ length: 41 }, (_, index) => `quota ${index}`));
    const prunerOf = async (): Promise<number> => {
      let sum = 0;
      for (let misses = 0; misses < 3; ) {
        const { count } = await old.page(pool, '');
        sum += count;
        misses = count === 0 ? misses + 1 : 0;
      }
      return sum;
    };
    const counts = await Promise.all([prunerOf(), prunerOf(), prunerOf()]);
    expect(counts.reduce((sum, count) => sum + count, 0)).toBe(41);
    expect(await keysOf('quotas', 'name')).toEqual([]);
  });
});

/** Whole tables are read of these only: see `prunesOf`. */
const small = ['rate_buckets', 'quotas', 'erased_events', 'invitations', 'api_keys'];

/** How PostgreSQL finds a page where it would rather not read the whole table or sort it, as it would not a large one. */
async function planOf(one: Prune): Promise<string> {
  const plan: string[] = [];
  await withClient(database.url, async (client) => {
    for (const way of ['seqscan', 'bitmapscan', 'sort']) await client.query(`set enable_${way} = off`);
    const explaining = {
      query: async (text: string, values: unknown[]) => {
        const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${text}`, values);
        plan.push(...rows.map((row) => row['QUERY PLAN']));
        return { rowCount: 0, rows: [{ count: 0, seen: 0, last: null }] };
      },
    };
    await one.page(explaining as unknown as Pool, '');
  });
  return plan.join('\n');
}

test('what is old is found by an index, in its order, in every table that can be large', async () => {
  for (const one of prunes.filter(({ table }) => !small.includes(table))) {
    const plan = await planOf(one);
    expect(plan, one.table).toMatch(new RegExp(`Index (Only )?Scan using \\w+ on ${one.table}`));
    expect(plan, one.table).not.toMatch(new RegExp(`Seq Scan on ${one.table}|Sort`));
  }
});

test('a relay forgets by itself what it is not to keep any longer, and counts it; processes without that role leave it to others', async () => {
  const id = await insertJob(pool, { ...tenant, integrationId: newId('intg'), kind: 'verify', status: 'done' });
  await pool.query('update jobs set finished_at = $2 where id = $1', [id, ago(2 * hour)]);
  await using nats = await startTestNats();
  const start = (settings: Record<string, string>, hooks?: Metrics['hooks']) => startPipeline({ databaseUrl: database.url, natsUrl: nats.url, ...(hooks ? { hooks } : {}), settings: { FORMWIRE_ENDED_RETENTION: '1h', ...settings } });
  const isThere = async (): Promise<boolean> => (await pool.query('select from jobs where id = $1', [id])).rowCount === 1;
  await using others = start({ FORMWIRE_ROLES: 'api,dispatcher' });
  expect(others.runnables.map(({ name }) => name)).not.toContain('pruner');
  expect(await isThere()).toBe(true);
  const metrics = createMetrics({ config: parseConfig({ FORMWIRE_ROLES: 'relay' }), log: silentLog });
  await using _relay = start({ FORMWIRE_ROLES: 'relay' }, metrics.hooks);
  await expect.poll(isThere, { timeout: 10_000 }).toBe(false);
  await expect.poll(async () => parseSamples((await metrics.render()).text).get('formwire_pruned_rows_total{table="jobs"}')).toBeGreaterThan(0);
});
