import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import type { Finding } from '../../src/console/checks/finding.ts';
import { startClientLoad, type ClientLoad } from './client-load.ts';
import type { Blow, Victims } from './blows.ts';
import { runFormwire } from './command.ts';
import { startInstallation, type Installation } from './installation.ts';
import { startRestartablePostgres } from './outages.ts';
import { openTestPool } from './database.ts';
import { tally } from './pipeline.ts';
import { connectWebhook, createHousehold } from './product-calls.ts';
import { startReceiver, verifySignature, type ReceivedRequest, type Receiver } from './receiver.ts';

/** What was seen of one blow: times in milliseconds. */
export interface Stall {
  what: string;
  /** The longest time in which no receiver got anything. */
  longestSilence: number;
  /** The longest way of a response from its answer to its first receipt. */
  slowestDelivery: number;
  /** Calls that a collector had to repeat. */
  retriedCalls: number;
  /** Requests that a receiver got again. */
  repeated: number;
}

/**
 * Strikes blow after blow under load, mends each, and looks at the end whether every response that was answered has
 * reached every receiver, signed, and in order where that was asked for. Answers what the blows were like.
 */
export async function survivesBlows(list: readonly Blow[], { restMs, outMs }: { restMs: number; outMs: number }): Promise<Stall[]> {
  await using postgres = await startRestartablePostgres();
  // longer than this machine may let a process stand still: a lease that ran out would be a death of its own
  await using installation = await startInstallation({ databaseUrl: postgres.url, settings: { FORMWIRE_LEASE: '5s' } });
  await using any = await startReceiver();
  await using ordered = await startReceiver();
  const { owner } = installation;
  const formId = await createHousehold(owner);
  const webhooks = [await connectWebhook(owner, { formId, url: any.url }), await connectWebhook(owner, { formId, url: ordered.url, ordered: true })];
  const load = startClientLoad({ urls: installation.apis.map(({ url }) => url), formId });
  const receivers = [any, ordered];
  const stalls: Stall[] = [];
  try {
    await expect.poll(() => ordered.requests.length, { timeout: 90_000 }).toBeGreaterThan(20);
    for (const blow of [{ what: 'nothing', strike: async () => async () => undefined, isQuiet: true }, ...list] satisfies Blow[]) {
      stalls.push(await watchBlow(blow, { victims: { ...installation, postgres }, load, receivers, restMs, outMs }));
    }
  } catch (error) {
    // what went wrong is rarely in the test
    for (const { name, output } of [...installation.apis, ...installation.dispatchers]) process.stdout.write(`${name} said last:\n${output().slice(-4_000)}\n`);
    throw error;
  } finally {
    await load.end();
  }
  await hasDeliveredAll(installation, { load, receivers, formId });
  await expect.poll(() => doubtsOf(installation), { timeout: 60_000 }).toEqual([]);
  for (const [index, { requests }] of receivers.entries()) for (const request of requests) verifySignature(request, webhooks[index]?.secret ?? '');
  const order = responsesOf(firstOnes(ordered.requests)).filter((id) => load.inOrder.includes(id));
  expect(order).toEqual(load.inOrder);
  return stalls;
}

/** What the doctor does not find sound; it counts what is on its way too. */
async function doubtsOf({ env, apis }: Installation): Promise<Finding[]> {
  const { json } = await runFormwire(['doctor', '--json'], { ...env, PORT: new URL(apis[0]?.url ?? '').port });
  return (json as Finding[]).filter(({ state }) => state !== 'sound');
}

interface Watched {
  victims: Victims;
  load: ClientLoad;
  receivers: readonly Receiver[];
  /** Between blows. */
  restMs: number;
  /** How long what was struck is away. */
  outMs: number;
}

async function watchBlow({ what, strike, isQuiet = false, stopsSubmissions = false }: Blow, { victims, load, receivers, restMs, outMs }: Watched): Promise<Stall> {
  const began = { at: Date.now(), accepted: load.accepted.size, failures: load.failures.length, received: receivers.map(({ requests }) => requests.length) };
  const mend = await strike(victims);
  await sleep(outMs);
  const isAccepting = () => expect.poll(() => load.accepted.size, { timeout: 60_000 }).toBeGreaterThan(began.accepted);
  if (!stopsSubmissions) await isAccepting();
  await mend();
  await isAccepting();
  await sleep(restMs);
  const accepted = [...load.accepted].filter(([, at]) => at >= began.at);
  await expect.poll(() => receivers.every(({ requests }) => hasEach(requests, accepted.map(([id]) => id))), { timeout: 120_000, interval: 200 }).toBe(true);
  const received = receivers.map(({ requests }, index) => requests.slice(began.received[index]));
  const repeated = received.flat().filter(({ attempt }) => attempt > 1).length;
  if (isQuiet) expect(repeated, `repeated by the death of ${what}`).toBe(0);
  const firsts = received.map((requests) => new Map(firstOnes(requests).map((request) => [responseOf(request), request.receivedAt.getTime()])));
  return {
    what,
    longestSilence: longestGap([began.at, ...received.flat().map(({ receivedAt }) => receivedAt.getTime())]),
    slowestDelivery: Math.max(...accepted.flatMap(([id, at]) => firsts.map((times) => (times.get(id) ?? at) - at))),
    retriedCalls: load.failures.length - began.failures,
    repeated,
  };
}

/** Every response that was answered is delivered once in the books, has reached every receiver, and `reconcile` finds nothing missing. */
export async function hasDeliveredAll({ databaseUrl, owner }: Installation, { load, receivers, formId }: { load: ClientLoad; receivers: readonly Receiver[]; formId: string }): Promise<void> {
  const pool = openTestPool(databaseUrl, 1);
  try {
    const count = load.accepted.size;
    await expect.poll(() => tally(pool), { timeout: 60_000 }).toMatchObject({ responses: count, outbox: 0, delivered: 2 * count, pending: 0, dead: 0, canceled: 0 });
    for (const { requests } of receivers) expect(new Set(responsesOf(requests))).toEqual(new Set(load.accepted.keys()));
    const { integrations } = await owner.call<{ integrations: { delivered: number; missing: number }[] }>(
      `query { reconcile(formId: ${JSON.stringify(formId)}) { integrations { delivered missing } } }`,
    );
    expect(integrations.map(({ delivered, missing }) => ({ delivered, missing }))).toEqual(receivers.map(() => ({ delivered: count, missing: 0 })));
  } finally {
    await pool.end();
  }
}

const firstOnes = (requests: readonly ReceivedRequest[]): ReceivedRequest[] => requests.filter(({ attempt }) => attempt === 1);
const responseOf = ({ body }: ReceivedRequest): string => (JSON.parse(body.toString()) as { data: { response: { id: string } } }).data.response.id;
/** The ids of the responses that requests are about. */
export const responsesOf = (requests: readonly ReceivedRequest[]): string[] => requests.map(responseOf);

function hasEach(requests: readonly ReceivedRequest[], ids: readonly string[]): boolean {
  const got = new Set(responsesOf(requests));
  return ids.every((id) => got.has(id));
}

/** Between times in milliseconds. */
export function longestGap(times: readonly number[]): number {
  const sorted = times.toSorted((one, other) => one - other);
  return Math.max(0, ...sorted.slice(1).map((time, index) => time - (sorted[index] ?? time)));
}

/** One line for each blow. */
export function describeStalls(stalls: readonly Stall[]): string {
  const lines = stalls.map(({ what, longestSilence, slowestDelivery, retriedCalls, repeated }) =>
    `${what}: nothing received for ${longestSilence} ms, slowest delivery ${slowestDelivery} ms, ${retriedCalls} calls repeated by collectors, ${repeated} requests received again`);
  return `${lines.join('\n')}\n`;
}
