import { randomBytes } from 'node:crypto';
import { systemClock, type Clock } from '../simulators/clock.ts';
import { createRandom } from '../simulators/faults.ts';
import { serve, type LoggedRequest, type Reply, type Simulator } from '../simulators/server.ts';
import { sendCallback, type SentCallback } from './callbacks.ts';
import { createMessage, type TwilioAccount } from './create-message.ts';
import { replyOfTwilio, TwilioError } from './errors.ts';
import { listMessages } from './list-messages.ts';
import { callbackForm, messageResource, nextStatus, type SimulatedMessage } from './message.ts';

/** How status callbacks go out. Other orders than `inOrder` hold them back until their message changes no more. */
export interface CallbackManner {
  order: 'inOrder' | 'reversed' | 'shuffled';
  /** How often each is sent. */
  times: number;
  /** Which are never sent. */
  isLost(callback: { messageSid: string; status: string }): boolean;
}

export interface TwilioOptions {
  clock?: Clock;
  callbacks?: Partial<CallbackManner>;
  /** Requests that an account may make in a second; default: any number. */
  requestsPerSecond?: number;
  /** How long a new message stays out of lists. */
  listDelayMs?: number;
  port?: number;
  /** For the order of shuffled callbacks. */
  seed?: number;
}

export interface TwilioSimulator extends Simulator {
  account: TwilioAccount;
  /** All that were accepted, in order. */
  messages: SimulatedMessage[];
  /** All callbacks that were sent, in order. */
  callbacks: SentCallback[];
  manner: CallbackManner;
  /** How many messages each number was sent: more than one is what must not happen. */
  countsByNumber(): Map<string, number>;
  /** Every message goes on to its next status; resolves when the callbacks of that are through. */
  step(): Promise<void>;
  /** Steps until no message changes any more. */
  settle(): Promise<void>;
  /** Steps by itself, as fast as callbacks are taken and no faster than this, until its scope ends. */
  run(everyMs: number): AsyncDisposable;
}

/**
 * Starts a simulator of Twilio's messages on loopback that its real client library talks to. There is no idempotency:
 * each request that is accepted makes a message.
 *
 *     await using twilio = await startTwilio({ callbacks: { order: 'shuffled', times: 2 } });
 *     twilio.account.fates.set('+15005550009', { status: 'undelivered', errorCode: 30003 });
 *     …
 *     await twilio.settle();
 *     expect(twilio.countsByNumber()).toEqual(new Map([['+15005550009', 1]]));
 */
export async function startTwilio(options: TwilioOptions = {}): Promise<TwilioSimulator> {
  const { clock = systemClock, callbacks: given = {}, listDelayMs = 0, requestsPerSecond = Infinity, seed = 1, port } = options;
  const account = newAccount();
  const messages: SimulatedMessage[] = [];
  const callbacks: SentCallback[] = [];
  const manner: CallbackManner = { order: 'inOrder', times: 1, isLost: () => false, ...given };
  const handle = createHandler({ account, messages, clock, listDelayMs, requestsPerSecond });
  const simulator = await serve({ clock, port, describe, handle });
  const step = createStep({ account, messages, callbacks, manner, clock, random: createRandom(seed) });
  const twilio: TwilioSimulator = {
    ...simulator,
    account,
    messages,
    callbacks,
    manner,
    countsByNumber: () => new Map([...Map.groupBy(messages, ({ to }) => to)].map(([to, sent]) => [to, sent.length])),
    step: async () => void (await step()),
    async settle() {
      while (await step());
    },
    run(everyMs) {
      const ending = new AbortController();
      const stepped = keepStepping({ step, everyMs, signal: ending.signal });
      return {
        async [Symbol.asyncDispose]() {
          ending.abort();
          await stepped;
        },
      };
    },
  };
  return twilio;
}

const newAccount = (): TwilioAccount => ({
  sid: `AC${randomBytes(16).toString('hex')}`,
  authToken: randomBytes(16).toString('hex'),
  numbers: new Set(['+15005550006']),
  services: new Map([[`MG${'0'.repeat(32)}`, '+15005550006']]),
  optOuts: new Set(),
  refusals: new Map(),
  fates: new Map(),
  blockedRegions: [],
  verifiedByTrial: undefined,
  maxQueued: Infinity,
});

const messagePath = /^\/2010-04-01\/Accounts\/(AC[0-9a-f]{32})\/Messages(?:\/([A-Z]{2}[0-9a-f]{32}))?\.json$/;

function describe({ method, path, headers }: Pick<LoggedRequest, 'method' | 'path' | 'headers'>): { operation: string; account?: string } {
  const match = messagePath.exec(path);
  const [user] = credentialsOf(headers.authorization);
  const account = user === '' ? {} : { account: user };
  if (match === null) return { operation: 'unknown', ...account };
  if (match[2] !== undefined) return { operation: method === 'GET' ? 'messages.fetch' : 'unknown', ...account };
  return { operation: method === 'POST' ? 'messages.create' : method === 'GET' ? 'messages.list' : 'unknown', ...account };
}

function credentialsOf(authorization = ''): [string, string] {
  const decoded = Buffer.from(/^Basic (.+)$/.exec(authorization)?.[1] ?? '', 'base64').toString();
  const colon = decoded.indexOf(':');
  return [decoded.slice(0, Math.max(colon, 0)), decoded.slice(colon + 1)];
}

function createHandler(deps: {
  account: TwilioAccount;
  messages: SimulatedMessage[];
  clock: Clock;
  listDelayMs: number;
  requestsPerSecond: number;
}): (request: LoggedRequest) => Promise<Reply> {
  const { account, messages, clock, listDelayMs, requestsPerSecond } = deps;
  let recent: number[] = [];
  const checkRate = (): void => {
    const now = clock.now().getTime();
    recent = recent.filter((time) => time > now - 1000);
    if (recent.length >= requestsPerSecond) throw new TwilioError(20429);
    recent.push(now);
  };
  const answer = (request: LoggedRequest): Reply => {
    const [user, password] = credentialsOf(request.headers.authorization);
    if (user !== account.sid || password !== account.authToken) throw new TwilioError(20003);
    const [, accountSid, messageSid] = messagePath.exec(request.path) ?? [];
    if (accountSid !== account.sid || request.operation === 'unknown') throw new TwilioError(20404, request.path);
    checkRate();
    if (request.operation === 'messages.create') {
      const message = createMessage(account, { form: new URLSearchParams(request.body.toString()), messages, now: clock.now() });
      messages.push(message);
      return { status: 201, body: messageResource(message) };
    }
    if (request.operation === 'messages.list') {
      const since = clock.now().getTime() - listDelayMs;
      return listMessages(messages.filter(({ createdAt }) => createdAt.getTime() <= since), request);
    }
    const message = messages.find(({ sid }) => sid === messageSid);
    if (message === undefined) throw new TwilioError(20404, request.path);
    return { status: 200, body: messageResource(message) };
  };
  return async (request) => {
    try {
      return answer(request);
    } catch (error) {
      if (error instanceof TwilioError) return replyOfTwilio(error);
      throw error;
    }
  };
}

type Pending = Omit<SentCallback, 'answered'>;

/** Moves every message by one status and sends what callbacks are due. Resolves with whether any moved. */
function createStep(deps: {
  account: TwilioAccount;
  messages: SimulatedMessage[];
  callbacks: SentCallback[];
  manner: CallbackManner;
  clock: Clock;
  random: () => number;
}): () => Promise<boolean> {
  const { account, messages, callbacks, manner, clock, random } = deps;
  const held = new Map<string, Pending[]>();
  const send = async (due: Pending[]): Promise<void> => {
    const all = due.flatMap((callback) => (manner.isLost(callback) ? [] : Array.from({ length: manner.times }, () => callback)));
    const ordered = manner.order === 'reversed' ? all.toReversed() : manner.order === 'shuffled' ? shuffled(all, random) : all;
    for (const callback of ordered) callbacks.push(await sendCallback(callback, account.authToken));
  };
  return async () => {
    const now = clock.now();
    const moved = messages.filter((message) => move(message, now));
    for (const message of moved) {
      const { sid: messageSid, status, statusCallback: url } = message;
      if (url === undefined) continue;
      const due = [...(held.get(messageSid) ?? []), { messageSid, status, url, form: callbackForm(message) }];
      const isOver = nextStatus(message, now) === undefined;
      if (manner.order !== 'inOrder' && !isOver) {
        held.set(messageSid, due);
        continue;
      }
      held.delete(messageSid);
      await send(due);
    }
    return moved.length > 0;
  };
}

function move(message: SimulatedMessage, now: Date): boolean {
  const next = nextStatus(message, now);
  if (next === undefined) return false;
  message.status = next.status;
  message.errorCode = next.errorCode ?? null;
  message.updatedAt = now;
  if (next.status === 'sending' || next.status === 'sent') message.sentAt = now;
  return true;
}

function shuffled<Item>(items: readonly Item[], random: () => number): Item[] {
  return items
    .map((item) => ({ item, place: random() }))
    .sort((left, right) => left.place - right.place)
    .map(({ item }) => item);
}

async function keepStepping({ step, everyMs, signal }: { step: () => Promise<boolean>; everyMs: number; signal: AbortSignal }): Promise<void> {
  while (!signal.aborted) {
    await step();
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, everyMs);
      signal.addEventListener('abort', () => (clearTimeout(timer), resolve()), { once: true });
    });
  }
}
