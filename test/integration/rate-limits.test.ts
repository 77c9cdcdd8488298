import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { silentLog } from '../../src/log.ts';
import { chunkOf, createRateLimits, type Rate, type RateLimits, type Rates } from '../../src/rate-limits/rate-limits.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { startFormsApi, type FormsApi } from '../support/forms-api.ts';

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

/** What one process has: connections and leases of its own. */
function startProcess(rates: Rates, databaseUrl = database.url): RateLimits & AsyncDisposable {
  const pool = openTestPool(databaseUrl, 2);
  return { ...createRateLimits({ pool, rates, log: silentLog, patienceMs: 30_000 }), [Symbol.asyncDispose]: () => pool.end() };
}

/** Takes one at a time until it is refused so often in a row; answers how many it got. */
async function exhaust({ take }: RateLimits, id: string, refusals = 5): Promise<number> {
  let got = 0;
  for (let refused = 0; refused < refusals; ) {
    if ((await take('form', id, 1)) === 0) {
      got += 1;
      refused = 0;
    } else refused += 1;
  }
  return got;
}

describe('processes that share a database', () => {
  const rate: Rate = { ratePerSecond: 40, burst: 400 };

  test('together let through no more than the limit and a chunk for each, and no less than it without what they hold', async () => {
    await using one = startProcess({ form: rate });
    await using other = startProcess({ form: rate });
    const began = performance.now();
    const got = await Promise.all([exhaust(one, 'a'), exhaust(other, 'a')]);
    const refilled = (rate.ratePerSecond * (performance.now() - began)) / 1_000;
    const total = got.reduce((sum, count) => sum + count, 0);
    expect(total).toBeLessThanOrEqual(rate.burst + refilled + 2 * chunkOf(rate));
    expect(total).toBeGreaterThanOrEqual(rate.burst - 4 * chunkOf(rate));
    expect(await exhaust(one, 'b')).toBeGreaterThanOrEqual(rate.burst);
  });

  test('learn of what another has used before', async () => {
    await using one = startProcess({ form: rate });
    await exhaust(one, 'c');
    await using late = startProcess({ form: rate });
    const began = performance.now();
    const got = await exhaust(late, 'c');
    expect(got).toBeLessThanOrEqual(chunkOf(rate) + (rate.ratePerSecond * (performance.now() - began)) / 1_000 + 2 * chunkOf(rate));
  });

  test('fill what was used at its rate, and say when to try again', async () => {
    const quick = { ratePerSecond: 1_000, burst: 1_000 };
    await using one = startProcess({ form: quick });
    await exhaust(one, 'd');
    const waitMs = await one.take('form', 'd', 1);
    expect(waitMs).toBeGreaterThan(0);
    await expect.poll(() => one.take('form', 'd', 1), { timeout: 10_000 }).toBe(0);
  });

  test('let a call of more than the burst through when the bucket is full, which is paid off afterwards', async () => {
    await using one = startProcess({ form: { ratePerSecond: 40, burst: 80 } });
    await using other = startProcess({ form: { ratePerSecond: 40, burst: 80 } });
    expect(await one.take('form', 'e', 1_000)).toBe(0);
    expect(await one.take('form', 'e', 1)).toBeGreaterThan(0);
    expect(await exhaust(other, 'e')).toBeLessThanOrEqual(chunkOf({ ratePerSecond: 40, burst: 80 }));
    expect(await other.take('form', 'e', 1)).toBeGreaterThan(10_000);
  });

  test('refuse none of many callers at once while the bucket is full', async () => {
    await using one = startProcess({ form: { ratePerSecond: 100, burst: 5_000 } });
    const waits = await Promise.all(Array.from({ length: 3_000 }, async () => one.take('form', 'h', 1)));
    expect(waits.filter((waitMs) => waitMs > 0)).toEqual([]);
    expect(await Promise.all([one.take('form', 'i', 1_000), one.take('form', 'i', 3_900), one.take('form', 'i', 1)])).toEqual([0, 0, 0]);
  });

  test('refuse nobody because the database is away, and keep to the limit each on its own', async () => {
    await using alone = startProcess({ form: rate }, 'postgresql://nobody@127.0.0.1:1/none');
    const began = performance.now();
    const got = await exhaust(alone, 'f');
    expect(got).toBeGreaterThanOrEqual(rate.burst);
    expect(got).toBeLessThanOrEqual(rate.burst + (rate.ratePerSecond * (performance.now() - began)) / 1_000 + chunkOf(rate));
  });

  test('ask the database once for many calls', async () => {
    await using one = startProcess({ form: { ratePerSecond: 4_000, burst: 40_000 } });
    const { rows: before } = await statements();
    for (let count = 0; count < 10_000; count += 1) expect(await one.take('form', 'g', 1)).toBe(0);
    const { rows: after } = await statements();
    expect(Number(after[0]?.calls) - Number(before[0]?.calls)).toBeLessThan(200);
  });
});

async function statements(): Promise<{ rows: { calls: string }[] }> {
  const pool = openTestPool(database.url, 1);
  try {
    return await pool.query('select xact_commit as calls from pg_stat_database where datname = current_database()');
  } finally {
    await pool.end();
  }
}

describe('callers', () => {
  let owner: FormsApi;
  let formId: string;
  const few: Rate = { ratePerSecond: 1, burst: 8 };
  beforeAll(async () => {
    owner = await startFormsApi();
    formId = (await owner.createForm()).id;
  });
  afterAll(() => owner[Symbol.asyncDispose]());

  const submit = (count = 1) => ({
    query: 'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { results { errors { code } } } }',
    variables: { input: { responses: Array.from({ length: count }, () => ({ formId, answers: [{ key: 'q', value: 'a' }] })) } },
  });
  const limited = { status: 429, headers: { 'retry-after': expect.stringMatching(/^[1-9]\d*$/) }, body: { errors: [{ extensions: { code: 'RATE_LIMITED', retryAfterMs: expect.any(Number) } }] } };
  const stored = async () => Number((await owner.api.pool.query('select count(*) from responses')).rows[0].count);
  /** Until one is refused, at most so often. */
  const until429 = async (call: () => Promise<{ status: number }>, most = 40) => {
    for (let calls = 1; calls <= most; calls += 1) if ((await call()).status === 429) return calls;
    return Number.POSITIVE_INFINITY;
  };

  test('without an account are limited by their address, and members and keys by what they are', async () => {
    await using api = await startFormsApi({ beside: owner, rates: { address: few, user: { ratePerSecond: 1, burst: 16 }, key: { ratePerSecond: 1, burst: 16 } } });
    const me = { query: '{ me { id } }' };
    expect(await until429(() => api.api.post(me))).toBeLessThan(20);
    expect(await api.api.post(me)).toMatchObject(limited);
    expect(await api.api.post(me, { token: 'not a token' })).toMatchObject(limited);
    expect((await api.api.post(me, { token: owner.token })).status).toBe(200);
    const { key } = await owner.run('createApiKey', { name: 'One', scopes: ['RESPONSES_WRITE'] }, { selection: 'key' });
    expect(await until429(() => api.api.post(me, { token: owner.token }))).toBeLessThan(40);
    expect(await api.api.post(me, { token: owner.token })).toMatchObject(limited);
    expect((await api.api.post(submit(), { token: key })).status).toBe(200);
    expect(await until429(() => api.api.post(submit(), { token: key }))).toBeLessThan(20);
  });

  test('without an account are limited by the form they submit to, each response counting one, and nothing of what is refused is written', async () => {
    await using api = await startFormsApi({ beside: owner, rates: { form: { ratePerSecond: 1, burst: 20 } } });
    expect((await api.api.post(submit(12))).status).toBe(200);
    const before = await stored();
    expect(await api.api.post(submit(12))).toMatchObject(limited);
    expect(await stored()).toBe(before);
    // the owner's own are another matter, and so is another form
    expect((await api.api.post(submit(12), { token: owner.token })).status).toBe(200);
    const other = (await owner.createForm()).id;
    expect((await api.api.post({ ...submit(1), variables: { input: { responses: [{ formId: other, answers: [{ key: 'q', value: 'a' }] }] } } })).status).toBe(200);
  });

  test('get the same limit from every process', async () => {
    await using one = await startFormsApi({ beside: owner, rates: { address: { ratePerSecond: 1, burst: 40 } }, trustedProxies: 1 });
    await using other = await startFormsApi({ beside: owner, rates: { address: { ratePerSecond: 1, burst: 40 } }, trustedProxies: 1 });
    const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
    const me = { query: '{ me { id } }' };
    expect(await until429(() => one.api.post(me, from('2001:db8::1')), 100)).toBeLessThan(60);
    expect(await until429(() => other.api.post(me, from('2001:db8::2')))).toBeLessThan(20); // the same /64
    expect((await other.api.post(me, from('2001:db8:0:1::1'))).status).toBe(200);
  });
});
