import { expect } from 'vitest';
import { startClientLoad, type ClientLoad } from './client-load.ts';
import { openTestPool } from './database.ts';
import { hasDeliveredAll, responsesOf } from './deaths.ts';
import type { Installation } from './installation.ts';
import { startLoadBalancer } from './load-balancer.ts';
import { connectWebhook, createHousehold } from './product-calls.ts';
import { startReceiver, verifySignature, type Receiver } from './receiver.ts';
import { changeOften, readOften, watch, type Person, type Watcher } from './signed-in.ts';

/** Everybody who uses an installation: what is done to it meanwhile, none of them must notice. */
export interface Traffic extends AsyncDisposable {
  load: ClientLoad;
  receivers: Receiver[];
  /** Resolves when each receiver has got twenty more requests, and each member three more answers. */
  goesOn(): Promise<void>;
  /** Resolves when every call carries a token that was made after this. */
  refreshed(): Promise<void>;
  /**
   * Ends it, and looks at what there was to notice:
   * - no call has failed, and no process has logged an error;
   * - every receiver has got each response once, signed, at the first attempt, and in order where that was asked for;
   * - the watcher was told each response once, in order.
   */
  wentUndisturbed(): Promise<void>;
}

/**
 * Collectors send responses, members read, watch and change a webhook, all through a load balancer that tries nothing
 * again; two webhooks get what comes in, one of them in order.
 */
export async function startTraffic(installation: Installation): Promise<Traffic> {
  const { owner, apis, dispatchers, databaseUrl } = installation;
  const stack = new AsyncDisposableStack();
  const balancer = stack.use(await startLoadBalancer(apis.map(({ url }) => url)));
  const [any, ordered] = [stack.use(await startReceiver()), stack.use(await startReceiver())];
  const receivers = [any, ordered];
  const formId = await createHousehold(owner);
  const webhook = await connectWebhook(owner, { formId, url: any.url });
  takeSigned(any, webhook);
  takeSigned(ordered, await connectWebhook(owner, { formId, url: ordered.url, ordered: true }));
  const member = await logIn(installation, balancer.url);
  const watcher = await watch(member, formId);
  const members = [readOften(member, formId), changeOften(member, { id: webhook.id, url: any.url })];
  const load = startClientLoad({ urls: [balancer.url], formId });
  let ended: Promise<unknown> | undefined;
  const end = () => (ended ??= Promise.all([load.end(), ...members.map((calling) => calling.end())]));
  stack.defer(async () => void (await Promise.all([end(), watcher.leave()])));
  return {
    load,
    receivers,
    goesOn: async () => {
      const wanted = [...receivers.map(({ requests }) => requests.length + 20), ...members.map(({ count }) => count() + 3)];
      const have = (): number[] => [...receivers.map(({ requests }) => requests.length), ...members.map(({ count }) => count())];
      await expect.poll(() => have().every((count, index) => count >= (wanted[index] ?? 0)), { timeout: 60_000 }).toBe(true);
    },
    refreshed: async () => {
      const before = member.token;
      await expect.poll(() => member.token, { timeout: 60_000 }).not.toBe(before);
      owner.login(member.token);
    },
    wentUndisturbed: async () => {
      await end();
      expect([...load.failures, ...members.flatMap(({ failures }) => failures)]).toEqual([]);
      for (const one of [...apis, ...dispatchers]) expect(errorsIn(one.output()), one.name).toEqual([]);
      await hasDeliveredAll(installation, { load, receivers, formId });
      for (const { requests } of receivers) expect(requests.filter(({ attempt }) => attempt > 1)).toEqual([]);
      expect(responsesOf(ordered.requests).filter((id) => load.inOrder.includes(id))).toEqual(load.inOrder);
      expect(await attemptsOf(databaseUrl)).toEqual([1]);
      wereToldOnce(await watcher.told(load.accepted.size), load);
    },
    [Symbol.asyncDispose]: () => stack.disposeAsync(),
  };
}

/** A receiver that takes nothing but what its secret has signed. */
const takeSigned = (receiver: Receiver, { secret }: { secret: string }): void => {
  receiver.respond = (request) => {
    verifySignature(request, secret);
    return 200;
  };
};

function wereToldOnce(told: Awaited<ReturnType<Watcher['told']>>, { accepted }: ClientLoad): void {
  const positions = told.map(({ position }) => position);
  expect(new Set(told.map(({ response }) => response))).toEqual(new Set(accepted.keys()));
  expect(positions).toEqual([...new Set(positions)].toSorted((one, other) => one - other));
}

/** The owner, in a session of its own. */
async function logIn({ owner }: Installation, url: string): Promise<Person> {
  const query = 'mutation ($input: LoginInput!) { login(input: $input) { token refreshToken errors { message } } }';
  const tokens = await owner.call<{ token: string; refreshToken: string }>(query, { username: 'owner', password: 'correct horse battery' });
  return { url, ...tokens };
}

const errorsIn = (output: string): string[] => output.split('\n').filter((line) => line.startsWith('{"level":"error"'));

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
