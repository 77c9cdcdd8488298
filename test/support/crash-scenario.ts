import { expect } from 'vitest';
import type { Step } from '../../src/bin/compose.ts';
import { hasKilledItself, startChildPipeline, type ChildPipeline } from './crash.ts';
import { createTestDatabase } from './database.ts';
import { householdInputs } from './household-inputs.ts';
import { startTestNats } from './nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, tally, waitForTally, withClient, type TestPipeline } from './pipeline.ts';
import { startReceiver, verifySignature, type Receiver } from './receiver.ts';

/** When a process is to die: at the `count`-th time it has done this. */
export interface Death {
  step: Step;
  count: number;
}

/** What is killed keeps its partitions for a second. */
const settings = { FORMWIRE_LEASE: '1s', FORMWIRE_SWEEP_AFTER: '500ms' };
/** What finishes its work must not lose them, however busy the machine is: that would be a window of its own. */
const successorSettings = { ...settings, FORMWIRE_LEASE: '20s' };
const prefix = 'crash-';

/**
 * A process takes `responses` household responses of a form with two webhooks and kills itself on the way; another one
 * finishes the work. Afterwards:
 * - every response that was committed, answered or not, is delivered once in the books and has reached each webhook,
 *   always with the same bytes; the outbox is empty, nothing is pending or dead;
 * - requests repeated are no more than there were sent and not recorded when the process died;
 * - a repeated submission answers the first id and emits nothing.
 */
export async function survivesDeath(death: Death, options: { responses: number }): Promise<void> {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using first = await startReceiver();
  await using second = await startReceiver();
  const receivers = [first, second];
  const form = await seedForm(database.url);
  const secrets = await Promise.all(receivers.map(async ({ url }) => (await seedWebhook(database.url, { ...form, url })).secret));
  const servers = { databaseUrl: database.url, natsUrl: nats.url, settings };
  const submit = { formId: form.formId, count: options.responses, prefix };

  await using child = startChildPipeline({ ...servers, submit, dieAt: death });
  await hasKilledItself(child);
  const inFlight = await sentAndNotRecorded(database.url, receivers);
  await using pipeline = startPipeline({ ...servers, settings: { ...servers.settings, ...successorSettings } });
  const { responses } = await tally(pipeline.pool);
  expect(responses).toBeGreaterThanOrEqual(child.answered.size);
  await repeatSubmissions(pipeline, { child, submit });
  await waitForTally(pipeline.pool, { responses, outbox: 0, delivered: 2 * responses, pending: 0, dead: 0, canceled: 0, attempts: 2 * responses });

  let repeated = 0;
  for (const [index, receiver] of receivers.entries()) repeated += hasGotEachOnce(receiver, { secret: secrets[index] ?? '', ids: await eventIds(database.url) });
  expect(repeated).toBeLessThanOrEqual(inFlight);
}

/** The same for a process that dies while it works through what a receiver left pending when it was down. */
export async function survivesDeathInDrain(death: Death, options: { responses: number }): Promise<void> {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver({ respond: () => 503 });
  const form = await seedForm(database.url);
  const { secret } = await seedWebhook(database.url, { ...form, url: receiver.url });
  const servers = {
    databaseUrl: database.url,
    natsUrl: nats.url,
    settings: { ...settings, FORMWIRE_BREAKER_FAILURES: '5', FORMWIRE_RETRY_SCHEDULE: '200ms,200ms,400ms,400ms,800ms,800ms,1h,1h,1h,1h' },
  };
  const { responses } = options;
  {
    await using pipeline = startPipeline({ ...servers, settings: { ...servers.settings, ...successorSettings } });
    await submitHousehold(pipeline, { formId: form.formId, count: responses });
    await waitForTally(pipeline.pool, { responses, outbox: 0, pending: responses });
  }
  receiver.respond = () => 200;
  const recordedBefore = await recordedAttempts(database.url);
  const sentBefore = receiver.requests.length;

  await using child = startChildPipeline({ ...servers, dieAt: death });
  await hasKilledItself(child);
  await receiver.waitForConnections(0);
  const inFlight = receiver.requests.length - sentBefore - ((await recordedAttempts(database.url)) - recordedBefore);
  await using pipeline = startPipeline({ ...servers, settings: { ...servers.settings, ...successorSettings } });
  await waitForTally(pipeline.pool, { responses, outbox: 0, delivered: responses, pending: 0, dead: 0, canceled: 0 });

  const taken = receiver.requests.slice(sentBefore);
  const ids = await eventIds(database.url);
  expect(new Set(taken.map((request) => request.id))).toEqual(ids);
  expect(taken.length - ids.size).toBeLessThanOrEqual(inFlight);
  hasGotEachOnce(receiver, { secret, ids });
}

/** What the dead process had sent, and nobody has written down. */
async function sentAndNotRecorded(databaseUrl: string, receivers: readonly Receiver[]): Promise<number> {
  await Promise.all(receivers.map((receiver) => receiver.waitForConnections(0)));
  const sent = receivers.reduce((sum, receiver) => sum + receiver.requests.length, 0);
  return sent - (await recordedAttempts(databaseUrl));
}

const recordedAttempts = (databaseUrl: string): Promise<number> => withClient(databaseUrl, async (client) => (await tally(client as never)).attempts);

export async function eventIds(databaseUrl: string): Promise<Set<string>> {
  const { rows } = await withClient(databaseUrl, (client) => client.query<{ event_id: string }>('select distinct event_id from deliveries'));
  return new Set(rows.map((row) => row.event_id));
}

/** Everything that was answered is sent again, as by a client that has forgotten the answer. */
async function repeatSubmissions(pipeline: TestPipeline, facts: { child: ChildPipeline; submit: { formId: string; count: number; prefix: string } }): Promise<void> {
  const { child, submit } = facts;
  const numbers = [...child.answered.keys()].map((clientId) => Number(clientId.slice(submit.prefix.length)));
  const answered = householdInputs({ ...submit, count: Math.max(0, ...numbers) + 1 }).filter((input) => child.answered.has(input.clientId));
  const repeats = await Promise.all(answered.map(async (input) => (await pipeline.submitter.submit(input)).id));
  expect(repeats).toEqual(answered.map((input) => child.answered.get(input.clientId)));
}

/** Each event has reached the receiver, signed and always with the same bytes. Answers how many requests were repeats. */
export function hasGotEachOnce(receiver: Receiver, expected: { secret: string; ids: ReadonlySet<string> }): number {
  const bodies = new Map<string, Buffer>();
  for (const request of receiver.requests) {
    verifySignature(request, expected.secret);
    const known = bodies.get(request.id) ?? request.body;
    if (!known.equals(request.body)) throw new Error(`${request.id} came with other bytes: ${known.toString()} ${request.body.toString()}`);
    bodies.set(request.id, known);
  }
  expect(new Set(bodies.keys())).toEqual(expected.ids);
  return receiver.requests.length - bodies.size;
}
