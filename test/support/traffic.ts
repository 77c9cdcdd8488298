import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { decodeCursor, positionOfKey } from '../../src/graphql/cursor.ts';
import { startClientLoad, type ClientLoad } from './client-load.ts';
import { openTestPool } from './database.ts';
import { hasDeliveredAll, responsesOf } from './deaths.ts';
import type { Installation } from './installation.ts';
import { startLoadBalancer } from './load-balancer.ts';
import { connectWebhook, createHousehold } from './product-calls.ts';
import { startReceiver, verifySignature, type Receiver } from './receiver.ts';
import { subscribeOverSse, type Told } from './subscriber.ts';

/** Everybody who uses an installation: what is done to it meanwhile, none of them must notice. */
export interface Traffic extends AsyncDisposable {
  load: ClientLoad;
  receivers: Receiver[];
  /** Resolves when twenty more requests have come to each receiver. */
  goesOn(): Promise<void>;
  /** The owner, who reads and who watches go on with another token from their next call on. */
  useToken(token: string): void;
  /**
   * Ends it, and looks at what there was to notice:
   * - no call has failed;
   * - every receiver has got each response once, signed, at the first attempt, and in order where that was asked for;
   * - the watcher was told each response once, in order.
   */
  wentUndisturbed(): Promise<void>;
}

/**
 * Collectors send responses, somebody reads and somebody watches, all through a load balancer that tries nothing again;
 * two webhooks get what comes in, one of them in order.
 */
export async function startTraffic(installation: Installation): Promise<Traffic> {
  const { owner, apis, databaseUrl } = installation;
  const stack = new AsyncDisposableStack();
  const balancer = stack.use(await startLoadBalancer(apis.map(({ url }) => url)));
  const [any, ordered] = [stack.use(await startReceiver()), stack.use(await startReceiver())];
  const receivers = [any, ordered];
  const formId = await createHousehold(owner);
  const webhooks = [await connectWebhook(owner, { formId, url: any.url }), await connectWebhook(owner, { formId, url: ordered.url, ordered: true })];
  const caller = { url: balancer.url, token: installation.token, formId };
  const watcher = await watch(caller);
  const reader = readOften(caller);
  const load = startClientLoad({ urls: [balancer.url], formId });
  let ended: Promise<unknown> | undefined;
  const end = () => (ended ??= Promise.all([load.end(), reader.end()]));
  stack.defer(async () => {
    await end();
    watcher.leave();
  });
  return {
    load,
    receivers,
    goesOn: async () => {
      const before = receivers.map(({ requests }) => requests.length);
      await expect.poll(() => Math.min(...receivers.map(({ requests }, index) => requests.length - (before[index] ?? 0))), { timeout: 60_000 }).toBeGreaterThanOrEqual(20);
    },
    useToken: (token) => {
      caller.token = token;
      owner.login(token);
    },
    wentUndisturbed: async () => {
      await end();
      expect([...load.failures, ...reader.failures]).toEqual([]);
      await hasDeliveredAll(installation, { load, receivers, formId });
      for (const [index, { requests }] of receivers.entries()) {
        expect(requests.filter(({ attempt }) => attempt > 1)).toEqual([]);
        for (const request of requests) verifySignature(request, webhooks[index]?.secret ?? '');
      }
      expect(responsesOf(ordered.requests).filter((id) => load.inOrder.includes(id))).toEqual(load.inOrder);
      expect(await attemptsOf(databaseUrl)).toEqual([1]);
      const told = await watcher.told(load.accepted.size);
      expect(new Set(told.map(({ response }) => response))).toEqual(new Set(load.accepted.keys()));
      expect(told.map(({ position }) => position)).toEqual([...new Set(told.map(({ position }) => position))].toSorted((one, other) => one - other));
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

interface Caller {
  url: string;
  token: string;
  formId: string;
}

/** Asks for the newest responses, again and again. */
function readOften(caller: Caller): { failures: string[]; end(): Promise<void> } {
  const failures: string[] = [];
  let isEnding = false;
  const body = JSON.stringify({ query: `{ form(id: "${caller.formId}") { responses(first: 5) { edges { node { id } } } } }` });
  const ask = async (): Promise<void> => {
    const answer = await fetch(`${caller.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', authorization: `Bearer ${caller.token}` }, body });
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

interface Watcher {
  /** What it was told, when that is so many, after which it leaves. */
  told(count: number): Promise<{ response: string; position: number }[]>;
  leave(): void;
}

/** A subscriber that comes back with the last cursor whenever it is ended. */
async function watch(caller: Caller): Promise<Watcher> {
  const query = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { cursor response { id } } }';
  const results: Told[] = [];
  let isEnding = false;
  let lastEventId: string | undefined;
  const subscribe = () => subscribeOverSse(caller.url, { query, variables: { formId: caller.formId }, token: caller.token, lastEventId });
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
  const leave = (): void => {
    isEnding = true;
    current.disconnect();
  };
  return {
    told: async (count) => {
      await expect.poll(() => items().length, { timeout: 30_000 }).toBeGreaterThanOrEqual(count);
      isEnding = true;
      await following;
      leave();
      return items().map(({ result }) => ({ response: result.data.responseCreated.response.id, position: positionOfKey(decodeCursor(result.data.responseCreated.cursor) ?? '') ?? NaN }));
    },
    leave,
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
