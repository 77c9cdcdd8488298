import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { decodeCursor, positionOfKey } from '../../src/graphql/cursor.ts';
import { startClientLoad } from './client-load.ts';
import { openTestPool } from './database.ts';
import { hasDeliveredAll, longestGap, responsesOf } from './deaths.ts';
import { startInstallation } from './installation.ts';
import { startLoadBalancer } from './load-balancer.ts';
import { connectWebhook, createHousehold } from './product-calls.ts';
import { startReceiver } from './receiver.ts';
import { subscribeOverSse, type Told } from './subscriber.ts';

/** A good deal longer than the load balancer needs to notice, also on a machine that is busy. */
const settings = { FORMWIRE_STOP_DELAY: '2s', FORMWIRE_DRAIN: '20s' };

/**
 * Restarts every process in turn, by SIGTERM, while responses and questions come through a load balancer that tries
 * nothing again, and somebody watches. Afterwards:
 * - no request has failed, and every process has ended in order;
 * - every receiver has got each response once, at the first attempt;
 * - the watcher was told each response once, in order.
 * Answers the longest time in which no receiver got anything, in milliseconds.
 */
export async function survivesRollingRestarts({ rounds }: { rounds: number }): Promise<number> {
  await using installation = await startInstallation({ settings });
  await using balancer = await startLoadBalancer(installation.apis.map(({ url }) => url));
  await using any = await startReceiver();
  await using ordered = await startReceiver();
  const { owner, token, apis, dispatchers } = installation;
  const formId = await createHousehold(owner);
  await connectWebhook(owner, { formId, url: any.url });
  await connectWebhook(owner, { formId, url: ordered.url, ordered: true });
  const receivers = [any, ordered];
  const watcher = await watch({ url: balancer.url, token, formId });
  const reader = readOften({ url: balancer.url, token, formId });
  const load = startClientLoad({ urls: [balancer.url], formId });
  try {
    await expect.poll(() => any.requests.length, { timeout: 20_000 }).toBeGreaterThan(20);
    for (let round = 0; round < rounds; round += 1) {
      for (const one of [...apis, ...dispatchers]) {
        expect(await one.stop(), one.output().slice(-2_000)).toBe(0);
        one.start();
        await one.ready();
      }
    }
  } finally {
    await Promise.all([load.end(), reader.end()]);
  }
  expect([...load.failures, ...reader.failures]).toEqual([]);
  await hasDeliveredAll(installation, { load, receivers, formId });
  for (const { requests } of receivers) expect(requests.filter(({ attempt }) => attempt > 1)).toEqual([]);
  expect(responsesOf(ordered.requests).filter((id) => load.inOrder.includes(id))).toEqual(load.inOrder);
  expect(await attemptsOf(installation.databaseUrl)).toEqual([1]);

  const told = await watcher.end(load.accepted.size);
  expect(new Set(told.map(({ response }) => response))).toEqual(new Set(load.accepted.keys()));
  expect(told.map(({ position }) => position)).toEqual([...new Set(told.map(({ position }) => position))].toSorted((one, other) => one - other));
  return longestGap(receivers.flatMap(({ requests }) => requests.map(({ receivedAt }) => receivedAt.getTime())));
}

interface Caller {
  url: string;
  token: string;
  formId: string;
}

/** Asks for the newest responses, again and again. */
function readOften({ url, token, formId }: Caller): { failures: string[]; end(): Promise<void> } {
  const failures: string[] = [];
  let isEnding = false;
  const body = JSON.stringify({ query: `{ form(id: "${formId}") { responses(first: 5) { edges { node { id } } } } }` });
  const ask = async (): Promise<void> => {
    const answer = await fetch(`${url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${token}` }, body });
    const text = await answer.text();
    if (!answer.ok || text.includes('"errors"')) failures.push(`${answer.status} ${text}`);
  };
  const reading = (async () => {
    while (!isEnding) {
      await ask().catch((error: unknown) => void failures.push(String(error)));
      await sleep(20);
    }
  })();
  return {
    failures,
    end: () => {
      isEnding = true;
      return reading;
    },
  };
}

/** A subscriber that comes back with the last cursor whenever it is ended. */
async function watch({ url, token, formId }: Caller): Promise<{ end(count: number): Promise<{ response: string; position: number }[]> }> {
  const query = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { cursor response { id } } }';
  const results: Told[] = [];
  let isEnding = false;
  let lastEventId: string | undefined;
  const subscribe = () => subscribeOverSse(url, { query, variables: { formId }, token, lastEventId });
  let current = await subscribe();
  const items = (): Told[] => [...results, ...current.told].filter(({ result }) => result.data);
  const following = (async () => {
    while (!isEnding) {
      await sleep(10);
      if (!current.isClosed()) continue;
      results.push(...current.told);
      lastEventId = current.lastId() ?? lastEventId;
      current = await subscribe();
    }
  })();
  return {
    end: async (count) => {
      await expect.poll(() => items().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
      isEnding = true;
      await following;
      current.disconnect();
      return items().map(({ result }) => ({ response: result.data.responseCreated.response.id, position: positionOfKey(decodeCursor(result.data.responseCreated.cursor) ?? '') ?? NaN }));
    },
  };
}

/** How many attempts deliveries took: each number that occurs. */
async function attemptsOf(databaseUrl: string): Promise<number[]> {
  const pool = openTestPool(databaseUrl, 1);
  try {
    const { rows } = await pool.query<{ attempts: number }>('select distinct attempts from deliveries order by attempts');
    return rows.map(({ attempts }) => attempts);
  } finally {
    await pool.end();
  }
}
