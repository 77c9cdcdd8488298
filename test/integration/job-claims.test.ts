import type { Pool } from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { newId, type Id } from '../../src/events/id.ts';
import { advanceJob, claimJob, releaseJob, renewClaim, settleJob, type ClaimedJob } from '../../src/jobs/claim-jobs.ts';
import type { JobKind } from '../../src/jobs/job.entity.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { insertJob, insertReplay } from '../support/rows.ts';

let database: TestDatabase;
let pool: Pool;

beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url, 8);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});
beforeEach(async () => void (await pool.query('delete from jobs')));

const long = 60_000;
const over = -1;
const insert = (kind: JobKind, integrationId: Id<'intg'> = newId('intg')) => insertJob(pool, { organizationId: newId('org'), integrationId, kind });
const claimed = async (claimMs: number): Promise<ClaimedJob> => {
  const job = await claimJob(pool, claimMs);
  if (!job) throw new Error('nothing to claim');
  return job;
};
const stateOf = async (id: string) => (await pool.query('select status, reason, progress, claimed_by as claim from jobs where id = $1', [id])).rows[0];
const progress = { done: 5, made: 5 };

test('a job is claimed by one, however many ask at a time', async () => {
  const ids = [await insert('connect'), await insert('connect'), await insert('connect')];
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimJob(pool, long)));
  expect(claims.flatMap((job) => job?.id ?? []).toSorted()).toEqual(ids.toSorted());
});

test('jobs of one integration follow each other, also where many ask at a time', async () => {
  const integrationId = newId('intg');
  await insert('backfill', integrationId);
  await insert('verify', integrationId);
  const connect = await insert('connect', integrationId);
  const claims = await Promise.all(Array.from({ length: 8 }, () => claimJob(pool, long)));
  expect(claims.flatMap((job) => job?.id ?? [])).toEqual([connect]);
});

test('what somebody waits for comes before what takes hours', async () => {
  await insert('backfill');
  const connect = await insert('connect');
  expect((await claimed(long)).id).toBe(connect);
});

test('of organisations the one with the fewest jobs under way is next, whatever kind it waits for', async () => {
  const [busy, other] = [newId('org'), newId('org')];
  const insertOf = (organizationId: Id<'org'>, kind: JobKind) => insertJob(pool, { organizationId, integrationId: newId('intg'), kind });
  for (let count = 0; count < 3; count += 1) await insertOf(busy, 'connect');
  await insertOf(other, 'backfill');
  const order = [await claimed(long), await claimed(long), await claimed(long), await claimed(long)].map(({ organizationId }) => organizationId);
  expect(order).toEqual([busy, other, busy, busy]);
});

test('a process that has enough jobs of an organisation leaves its others to who has not', async () => {
  const organizationId = newId('org');
  const id = await insertJob(pool, { organizationId, integrationId: newId('intg'), kind: 'connect' });
  expect(await claimJob(pool, long, [newId('org'), organizationId])).toBeUndefined();
  expect(await claimJob(pool, long, [newId('org')])).toMatchObject({ id });
});

test('a claim that ran out is taken over, and whoever had it writes nothing any more', async () => {
  await insert('backfill');
  const first = await claimed(over);
  const second = await claimed(long);
  expect(second.id).toBe(first.id);
  expect(await renewClaim(pool, first, long)).toBe(false);
  const client = await pool.connect();
  expect(await advanceJob(client, first, { cursor: null, progress, result: null })).toBe(false);
  client.release();
  expect(await settleJob(pool, first, { status: 'failed', reason: 'Late.' })).toBe(false);
  await releaseJob(pool, first);
  expect(await stateOf(first.id)).toMatchObject({ status: 'running', reason: null, progress: { done: 0, made: 0 }, claim: second.claim });
});

test('a claim that is renewed is not taken over', async () => {
  await insert('backfill');
  const job = await claimed(over);
  expect(await renewClaim(pool, job, long)).toBe(true);
  expect(await claimJob(pool, long)).toBeUndefined();
});

test('a job that was canceled is not written to, and lets the next one begin when it is released', async () => {
  const integrationId = newId('intg');
  const id = await insert('backfill', integrationId);
  const job = await claimed(long);
  await pool.query(`update jobs set status = 'canceled', finished_at = now() where id = $1`, [id]);
  const next = await insert('disconnect', integrationId);
  expect(await renewClaim(pool, job, long)).toBe(false);
  expect(await settleJob(pool, job, { status: 'done' })).toBe(false);
  expect(await claimJob(pool, long)).toBeUndefined();
  await releaseJob(pool, job);
  expect((await claimed(long)).id).toBe(next);
  expect(await stateOf(id)).toMatchObject({ status: 'canceled' });
});

test('a job that waits is claimed when its time has come', async () => {
  const id = await insert('connect');
  const job = await claimed(long);
  await settleJob(pool, job, { status: 'waits', waitMs: 3_600_000, attempts: 2, reason: 'Too slow.' });
  expect(await claimJob(pool, long)).toBeUndefined();
  await pool.query(`update jobs set next_attempt_at = now() - interval '1 second' where id = $1`, [id]);
  expect(await claimed(long)).toMatchObject({ id, attempts: 2 });
});

test('the parts of a replay that is paused are left where they are', async () => {
  const of = { organizationId: newId('org'), userId: newId('usr'), formId: newId('form') };
  const paused = await insertReplay(pool, { ...of, integrationId: newId('intg'), isPaused: true });
  expect(await claimJob(pool, long)).toBeUndefined();
  await pool.query('update replays set paused_at = null where id = $1', [paused]);
  expect((await claimed(long)).replayId).toBe(paused);
});
