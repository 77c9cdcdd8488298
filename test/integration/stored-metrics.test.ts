import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Pool } from 'pg';
import { readBacklog } from '../../src/console/backlog.ts';
import { newId } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { createStoredMetrics } from '../../src/monitoring/stored-metrics.ts';
import { mostCounted, readStored, readStoredState, stateIn } from '../../src/monitoring/stored-state.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { seedForm, seedWebhook } from '../support/pipeline.ts';
import { parseSamples } from '../support/samples.ts';

let database: TestDatabase;
let pool: Pool;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url);
  const form = await seedForm(database.url);
  const { id } = await seedWebhook(database.url, { ...form, url: 'http://127.0.0.1:1' });
  const deliver = (status: string, age: string) =>
    pool.query(
      `insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, created_at, finished_at)
       values ($1, $2, 'response.created', 1, $3, $4, $5, $6, 0, $7, 1, now() - $8::interval, now() - $8::interval)`,
      [newId('dlv'), newId('evt'), form.organizationId, form.formId, newId('resp'), id, status, age],
    );
  for (const age of ['1 second', '2 minutes', '3 minutes', '2 hours', '3 days']) await deliver('pending', age);
  for (const age of ['2 minutes', '3 days', '8 days', '9 days']) await deliver('dead', age);
  await deliver('delivered', '1 hour');
  await pool.query(
    `insert into outbox (event_id, type, organization_id, form_id, response_id, integrations_version, created_at)
     select $1 || number, 'response.created', $2, $3, $4, 0, now() - number * interval '1 minute' from generate_series(1, 3) number order by number desc`,
    [newId('evt'), form.organizationId, form.formId, newId('resp')],
  );
  await pool.query(`insert into quotas (name, next_at) values ('google:account:a', now() + interval '90 s'), ('google:account:b', now() + interval '30 s'), ('twilio:a', now() - interval '1 h')`);
  await pool.query(`insert into dispatchers (id, expires_at) values ($1, now() + interval '1 minute'), ($2, now() - interval '1 minute')`, [newId('dsp'), newId('dsp')]);
  await pool.query(`update partition_leases set owner = $1, expires_at = now() + interval '1 minute' where partition < 10`, [newId('dsp')]);
  await pool.query(`update partition_leases set owner = $1, expires_at = now() - interval '1 minute' where partition = 10`, [newId('dsp')]);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

test('one statement tells what is late, dead and ownerless, by provider and age', async () => {
  const state = await readStoredState(pool);
  expect(state).toMatchObject({ outbox: 3, dispatchers: 1, partitionsWithoutOwner: 6, missing: 0, completenessSeconds: 0 });
  expect(state.outboxOldestSeconds).toBeGreaterThan(179);
  expect(state.databaseBytes).toBeGreaterThan(1_000_000);
  const byAge = (counts: typeof state.pending) => Object.fromEntries(counts.map(({ provider, age, count }) => [`${provider} ${age}`, count]));
  expect(byAge(state.pending)).toEqual({ 'webhook under_1m': 1, 'webhook under_1h': 2, 'webhook under_1d': 1, 'webhook over_1d': 1 });
  expect(byAge(state.dead)).toEqual({ 'webhook under_1h': 1, 'webhook under_7d': 1, 'webhook over_7d': 2 });
  expect(state.integrations).toEqual([{ provider: 'webhook', status: 'active', count: 1 }]);
});

test('what is sent again waits since then, and not since it was made', async () => {
  const ages = async () => Object.fromEntries((await readStoredState(pool)).pending.map(({ age, count }) => [age, count]));
  // rounded: a time is kept in whole milliseconds, and may be half of one later than it was written
  const oldestHours = async () => Math.round((await readStoredState(pool)).pendingOldestSeconds / 3_600);
  const old = `select id from deliveries where status = 'pending' order by created_at limit 1`;
  await pool.query(`update deliveries set redelivered_at = now() - interval '30 minutes' where id = (${old})`);
  expect(await ages()).toEqual({ under_1m: 1, under_1h: 3, under_1d: 1 });
  expect(await readBacklog(pool, { lateMs: 2.5 * 3_600_000 })).toMatchObject([{ pending: 5, late: 0 }]);

  const replay = newId('rpl');
  await pool.query(`insert into replays (id, organization_id, form_id, task, send_sms, total, actions, created_at) select $1, organization_id, form_id, '{}', false, 1, '[]', now() from deliveries limit 1`, [replay]);
  await pool.query(`update deliveries set redelivered_at = null, replay_id = $1 where id = (${old})`, [replay]);
  expect(await ages()).toEqual({ under_1m: 2, under_1h: 2, under_1d: 1 });
  expect(await oldestHours()).toBe(2);
  await pool.query(`update deliveries set redelivered_at = now() where status = 'pending' and replay_id is null`);
  await pool.query(`update replays set created_at = now() - interval '5 hours'`);
  expect(await oldestHours()).toBe(5);
  await pool.query(`update deliveries set redelivered_at = now() - interval '4 hours' where replay_id is not null`);
  expect(await oldestHours()).toBe(4);
  await pool.query(`update deliveries set redelivered_at = null where status = 'pending'`);
  await pool.query('update deliveries set replay_id = null');
  expect(await ages()).toMatchObject({ over_1d: 1 });
  expect(await oldestHours()).toBe(72);
});

test('a quota is told by its service, at the account that is asked for most', async () => {
  const waits = new Map((await readStoredState(pool)).quotas.map(({ service, waitSeconds }) => [service, waitSeconds]));
  expect(waits.get('google')).toBeGreaterThan(80);
  expect(waits.get('twilio')).toBe(0);
});

test('past what is counted the oldest is still told, and none is looked for among all others', async () => {
  const client = await pool.connect();
  try {
    await client.query('begin');
    await client.query(`
      insert into deliveries (id, event_id, event_type, position, organization_id, form_id, response_id, integration_id, partition, status, attempts, created_at)
      select 'dlv_' || n, 'evt_' || n, event_type, n, organization_id, form_id, response_id, integration_id, 0, 'pending', 0, now() - interval '30 minutes'
      from (select * from deliveries where status = 'pending' limit 1) d, generate_series(1, ${mostCounted}) n`);
    await client.query('analyze deliveries');
    const state = await stateIn(client);
    expect(state.pending.reduce((sum, { count }) => sum + count, 0)).toBe(mostCounted);
    expect(state.pending).toContainEqual({ provider: 'webhook', age: 'over_1d', count: 1 });
    expect(Math.floor(state.pendingOldestSeconds / 86_400)).toBe(3);
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain ${readStored}`);
    const plan = rows.map((row) => row['QUERY PLAN']).join('\n');
    expect(plan).not.toContain('Seq Scan on deliveries');
    expect(plan).toMatch(/using deliveries_(dead|redrive)\w*/);
    expect(plan).toMatch(/Index Scan using deliveries_waiting_index on deliveries [^]*Index Cond: \(replay_id IS NULL\)/);
    expect(plan).not.toMatch(/Sort Key: deliveries\w*\.replay_id/);
  } finally {
    await client.query('rollback');
    client.release();
  }
});

test('while PostgreSQL is away what was read last stands still, and its age grows; before the first answer nothing is said', async () => {
  const registry = new Registry();
  let isAway = true;
  const read = () => (isAway ? Promise.reject(new Error('away')) : readStoredState(pool));
  const metrics = createStoredMetrics(registry, { read, everyMs: 1, log: silentLog });
  const shown = async () => parseSamples(await registry.metrics());
  await metrics.refresh();
  expect([...(await shown()).keys()]).toEqual(['formwire_stored_age_seconds']);
  isAway = false;
  await metrics.refresh();
  const first = await shown();
  expect(first.get('formwire_outbox_events')).toBe(3);
  isAway = true;
  await metrics.refresh();
  const later = await shown();
  expect(later.get('formwire_outbox_events')).toBe(3);
  expect(later.get('formwire_stored_age_seconds')).toBeGreaterThan(first.get('formwire_stored_age_seconds')!);
});

test('reading takes at most a twentieth of the time, however long it takes', async () => {
  let began = 0;
  const read = async () => {
    began = performance.now();
    return readStoredState(pool);
  };
  const metrics = createStoredMetrics(new Registry(), { read, everyMs: 1, log: silentLog });
  const nextMs = await metrics.refresh();
  expect(nextMs).toBeGreaterThan(1);
  expect(nextMs).toBeLessThanOrEqual((performance.now() - began + 50) * 19);
});
