import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { webhook } from '../../integrations/webhook/webhook.ts';
import { claimDue, type ClaimRequest } from '../../src/deliveries/claim-due.ts';
import { renewLeases } from '../../src/deliveries/partition-leases.ts';
import { recordFirstOutcomes, recordRetryOutcomes, type FirstOutcome } from '../../src/deliveries/record-outcomes.ts';
import { newId } from '../../src/events/id.ts';
import { hasKilledItself, startChildPipeline } from '../support/crash.ts';
import { eventIds, hasGotEachOnce } from '../support/crash-scenario.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { startLoad, type Load } from '../support/load.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, tally, waitForTally, withClient, type TestForm, type TestPipeline } from '../support/pipeline.ts';
import { startReceiver, type ReceiverOptions } from '../support/receiver.ts';
import { insertOutboxRow } from '../support/rows.ts';
import { expectOrder } from '../support/soak.ts';

/** Calls of one webhook that a process has under way, at most. */
const callsOfAWebhook = webhook.limits.concurrency;

const partitionsOf = (pipeline: TestPipeline): number => pipeline.dispatcher?.state().partitions.length ?? 0;

/** So many forms of as many organisations, each with a webhook to one receiver, and all with one secret. */
async function begin(options: ReceiverOptions & { forms: number; ordered?: boolean }) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const nats = stack.use(await startTestNats());
  const receiver = stack.use(await startReceiver(options));
  const forms: TestForm[] = [];
  let secret = '';
  for (let index = 0; index < options.forms; index += 1) {
    const form = await seedForm(database.url);
    ({ secret } = await seedWebhook(database.url, { ...form, url: receiver.url, ordered: options.ordered ?? false }));
    forms.push(form);
  }
  await withClient(database.url, (client) => client.query('update integrations set secrets = $1', [JSON.stringify([secret])]));
  const servers = { databaseUrl: database.url, natsUrl: nats.url };
  const open = (roles: string, settings: Record<string, string> = {}) =>
    stack.use(startPipeline({ ...servers, settings: { FORMWIRE_ROLES: roles, ...settings } }));
  return { database, receiver, forms, secret, servers, open, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Every form gets its responses one after the other; the forms at the same time. */
const loadEach = (pipeline: TestPipeline, forms: readonly TestForm[], prefix: string): Load[] =>
  forms.map(({ formId }) => startLoad(pipeline, { formId, prefix, concurrency: 1, everyMs: 40 }));
const acceptedBy = (loads: readonly Load[]): number => loads.reduce((sum, load) => sum + load.accepted.size, 0);
const takeMore = (loads: readonly Load[], count: number): Promise<void> => {
  const target = acceptedBy(loads) + count;
  return expect.poll(() => acceptedBy(loads), { timeout: 20_000, interval: 10 }).toBeGreaterThanOrEqual(target);
};

describe('two dispatchers', () => {
  test('share the partitions; one that joins or leaves under load costs no loss, no repetition and no order', { timeout: 60_000 }, async () => {
    const soon = async () => {
      await sleep(25);
      return 200;
    };
    await using facts = await begin({ forms: 12, ordered: true, respond: soon });
    const { database, receiver, forms, secret, open } = facts;
    const taking = open('api,relay');
    const settings = { FORMWIRE_LEASE: '5s' };
    const first = open('dispatcher', settings);
    await expect.poll(() => partitionsOf(first)).toBe(16);
    const loads = loadEach(taking, forms, 'load-');
    await takeMore(loads, 200);
    const second = open('dispatcher', settings);
    await expect.poll(() => [partitionsOf(first), partitionsOf(second)], { timeout: 15_000 }).toEqual([8, 8]);
    await takeMore(loads, 200);
    await second.stop();
    await expect.poll(() => partitionsOf(first), { timeout: 15_000 }).toBe(16);
    await takeMore(loads, 200);
    await Promise.all(loads.map((load) => load.end()));

    const responses = acceptedBy(loads);
    await waitForTally(taking.pool, { responses, outbox: 0, delivered: responses, pending: 0, attempts: responses });
    expect(hasGotEachOnce(receiver, { secret, ids: await eventIds(database.url) })).toBe(0);
    await expectOrder(database.url, receiver.requests);
  });

  test.each([
    { kind: 'webhook', ordered: false },
    { kind: 'ordered webhook', ordered: true },
  ])('survive the death of one under load: the other takes its partitions over and delivers everything ($kind)', { timeout: 60_000 }, async ({ ordered }) => {
    await using facts = await begin({ forms: 12, ordered });
    const { database, receiver, forms, secret, servers, open } = facts;
    const taking = open('api,relay');
    const survivor = open('dispatcher');
    await using child = startChildPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'dispatcher' }, dieAt: { step: 'attempted', count: 150 } });
    await child.ready;
    await expect.poll(() => partitionsOf(survivor), { timeout: 15_000 }).toBe(8);
    const loads = loadEach(taking, forms, 'load-');
    await hasKilledItself(child);
    await takeMore(loads, 300);
    await expect.poll(() => partitionsOf(survivor), { timeout: 15_000 }).toBe(16);
    await Promise.all(loads.map((load) => load.end()));

    const responses = acceptedBy(loads);
    await waitForTally(taking.pool, { responses, outbox: 0, delivered: responses, pending: 0, dead: 0, attempts: responses });
    const repeated = hasGotEachOnce(receiver, { secret, ids: await eventIds(database.url) });
    // calls that the dead one had under way
    expect(repeated).toBeLessThanOrEqual(forms.length * (ordered ? 1 : callsOfAWebhook));
    if (ordered) await expectOrder(database.url, receiver.requests);
  });
});

describe('a dispatcher that stands still for longer than its lease', () => {
  test('and goes on does no harm: nothing is lost, and only what it had in flight is repeated', { timeout: 60_000 }, async () => {
    const soon = async () => {
      await sleep(20);
      return 200;
    };
    await using facts = await begin({ forms: 4, respond: soon });
    const { database, receiver, forms, secret, servers, open } = facts;
    const taking = open('api,relay');
    await using child = startChildPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'dispatcher', FORMWIRE_SPILL_AFTER: '1h' } });
    await child.ready;
    for (const form of forms) await submitHousehold(taking, { formId: form.formId, count: 300 });
    await receiver.waitFor(200);
    child.signal('SIGSTOP');
    const leases = () => taking.pool.query('select partition from partition_leases where owner is not null and expires_at > now()');
    await expect.poll(async () => (await leases()).rowCount, { timeout: 10_000 }).toBe(0);
    const inFlight = receiver.requests.length - (await tally(taking.pool)).attempts;

    const successor = open('dispatcher');
    await waitForTally(taking.pool, { outbox: 0, delivered: 1_200, pending: 0 });
    child.signal('SIGCONT');
    for (const form of forms) await submitHousehold(taking, { formId: form.formId, count: 100, prefix: 'later-' });
    await expect.poll(() => partitionsOf(successor), { timeout: 15_000 }).toBe(8);
    for (const form of forms) await submitHousehold(taking, { formId: form.formId, count: 100, prefix: 'last-' });

    await waitForTally(taking.pool, { responses: 2_000, outbox: 0, delivered: 2_000, pending: 0, attempts: 2_000 });
    const repeated = hasGotEachOnce(receiver, { secret, ids: await eventIds(database.url) });
    // what was sent and not recorded, and calls begun whose bytes had not left
    expect(repeated).toBeLessThanOrEqual(inFlight + forms.length * callsOfAWebhook);
  });

  test('records nothing and claims nothing: its epoch is over', async () => {
    await using database = await createTestDatabase();
    const pool = openTestPool(database.url, 2);
    const [stale, present] = [newId('dsp'), newId('dsp')];
    const { held: before } = await renewLeases(pool, { owner: stale, leaseMs: 60_000, claim: true });
    await pool.query(`update partition_leases set expires_at = now() - interval '1 second'`);
    await pool.query('delete from dispatchers');
    const { held: after } = await renewLeases(pool, { owner: present, leaseMs: 60_000, claim: true });
    expect([before.length, after.length]).toEqual([16, 16]);
    const ids = { organizationId: newId('org'), formId: newId('form'), responseId: newId('resp') };
    const eventId = await insertOutboxRow(pool, ids);
    const position = Number((await pool.query('select position from outbox')).rows[0].position);
    const outcome: FirstOutcome = {
      ...ids, id: newId('dlv'), eventId, eventType: 'response.created', position, integrationId: newId('intg'), lease: before[3]!,
      status: 'pending', reason: 'why', attempts: 1, nextAttemptAt: new Date(), finishedAt: null, attempt: undefined,
    };
    const book = async () => (({ outbox, pending, delivered }) => ({ outbox, pending, delivered }))(await tally(pool));

    expect(await recordFirstOutcomes(pool, { owner: stale, outcomes: [outcome], finished: [{ position, lease: before[3]! }] })).toEqual([]);
    expect(await book()).toEqual({ outbox: 1, pending: 0, delivered: 0 });
    // nor under the new epoch, which is another's
    await recordFirstOutcomes(pool, { owner: stale, outcomes: [{ ...outcome, lease: after[3]! }], finished: [{ position, lease: after[3]! }] });
    expect(await book()).toEqual({ outbox: 1, pending: 0, delivered: 0 });

    const own = { ...outcome, lease: after[3]! };
    expect(await recordFirstOutcomes(pool, { owner: present, outcomes: [own], finished: [{ position, lease: after[3]! }] })).toHaveLength(16);
    expect(await book()).toEqual({ outbox: 0, pending: 1, delivered: 0 });
    await pool.query('update deliveries set claimed_by = $1', [stale]);
    await recordRetryOutcomes(pool, { owner: stale, outcomes: [{ ...outcome, status: 'delivered', attempts: 2 }] });
    expect(await book()).toEqual({ outbox: 0, pending: 1, delivered: 0 });
    // its claim is given up all the same: it may own the partition again, and would wait for itself
    expect((await pool.query('select claimed_by from deliveries')).rows).toEqual([{ claimed_by: null }]);

    const request: ClaimRequest = { integrationId: outcome.integrationId, limit: 10, mode: 'due', recoveredAt: undefined, held: [] };
    const claiming = { partitions: [3], claimMs: 60_000, requests: [request] };
    for (const mode of ['due', 'drain', 'in order', 'probe'] as const) {
      expect(await claimDue(pool, { ...claiming, owner: stale, requests: [{ ...request, mode }] })).toEqual([]);
    }
    const [claimed] = await claimDue(pool, { ...claiming, owner: present });
    expect(claimed?.id).toBe(outcome.id);
    await pool.end();
  });
});

describe('a dispatcher that is stopped', () => {
  test('waits for retries under way, and nobody gets them again', async () => {
    const slowly = async () => {
      await sleep(400);
      return 200;
    };
    await using facts = await begin({ forms: 1, respond: ({ attempt }) => (attempt === 1 ? 500 : slowly()) });
    const { database, receiver, forms, secret, open } = facts;
    const settings = { FORMWIRE_BREAKER_FAILURES: '1000', FORMWIRE_LEASE: '20s' };
    const first = open('api,relay,dispatcher', settings);
    await submitHousehold(first, { formId: forms[0]!.formId, count: 100 });
    await receiver.waitFor((requests) => requests.some(({ attempt }) => attempt === 2));

    await first.stop();
    const second = open('api,relay,dispatcher', settings);
    await waitForTally(second.pool, { outbox: 0, delivered: 100, pending: 0, attempts: 200 });

    hasGotEachOnce(receiver, { secret, ids: await eventIds(database.url) });
    expect(receiver.requests).toHaveLength(200);
  });

  /** So long that nobody finds anything at a look of its own: within these tests there is one, at the start. */
  const rarely = { FORMWIRE_LEASE: '20m' };

  test('gives each partition up as soon as nothing of it is in flight: what hangs in one keeps none of the others', { timeout: 60_000 }, async () => {
    const answers = Promise.withResolvers<number>();
    await using facts = await begin({ forms: 1, respond: () => answers.promise });
    const { receiver, forms, open } = facts;
    const taking = open('api,relay');
    const [first, second] = [open('dispatcher', rarely), open('dispatcher', rarely)];
    await expect.poll(() => [partitionsOf(first), partitionsOf(second)], { timeout: 15_000 }).toEqual([8, 8]);
    await submitHousehold(taking, { formId: forms[0]!.formId, count: 1 });
    await receiver.waitFor(1);
    const [busy, idle] = first.dispatcher?.state().inFlight ? [first, second] : [second, first];

    const stopped = busy.stop();
    await expect.poll(() => partitionsOf(idle), { timeout: 15_000 }).toBe(15);
    expect(busy.dispatcher?.state().inFlight).toBe(1);
    answers.resolve(200);
    await stopped;
    await expect.poll(() => partitionsOf(idle), { timeout: 15_000 }).toBe(16);
    await waitForTally(taking.pool, { outbox: 0, delivered: 1, attempts: 1 });
    expect(receiver.requests).toHaveLength(1);
  });

  test('ends what has not ended within the bound: it costs its receiver no attempt, and goes on elsewhere', { timeout: 60_000 }, async () => {
    await using facts = await begin({ forms: 1, respond: ({ attempt }) => (attempt === 1 ? 'hang' : 200) });
    const { receiver, forms, open } = facts;
    const taking = open('api,relay');
    const first = open('dispatcher', { ...rarely, FORMWIRE_DRAIN: '200ms' });
    await submitHousehold(taking, { formId: forms[0]!.formId, count: 1 });
    await receiver.waitFor(1);
    const second = open('dispatcher', rarely);
    await expect.poll(() => partitionsOf(second), { timeout: 15_000 }).toBeGreaterThan(0);

    await first.stop();
    await waitForTally(taking.pool, { outbox: 0, delivered: 1, attempts: 1 });
    expect(receiver.requests.map(({ attempt }) => attempt)).toEqual([1, 2]);
  });
});

test('one that may not reach loopback ends no integration that another may serve: deliveries wait, and cost no attempt', async () => {
  await using facts = await begin({ forms: 1 });
  const { database, receiver, forms: [form], open } = facts;
  const taking = open('api,relay');
  const strict = open('dispatcher', { FORMWIRE_ALLOW_LOOPBACK: 'false' });
  await expect.poll(() => partitionsOf(strict)).toBe(16);
  await submitHousehold(taking, { formId: form?.formId ?? '', count: 3 });
  await waitForTally(taking.pool, { outbox: 0, pending: 3 });
  const read = async (sql: string) => (await taking.pool.query<Record<string, unknown>>(sql)).rows;
  const reason = "The URL's host is a loopback address, which integrations may not reach.";
  await expect.poll(() => read('select status, status_reason as reason from integrations')).toEqual([{ status: 'failing', reason }]);
  expect(await read(`select 1 from deliveries where attempts > 0 or reason not like '%' || $$${reason}$$`)).toEqual([]);
  expect(receiver.requests).toHaveLength(0);

  await strict.stop();
  await withClient(database.url, (client) => client.query('update deliveries set next_attempt_at = now()')); // or the one that was tried waits for the minute of a probe
  open('dispatcher');
  await waitForTally(taking.pool, { pending: 0, delivered: 3 });
  await expect.poll(() => read('select status, status_reason as reason from integrations')).toEqual([{ status: 'active', reason: null }]);
});
