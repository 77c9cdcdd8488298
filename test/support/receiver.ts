import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { Webhook } from 'standardwebhooks';

/** One request as it came in, with the raw bytes that were signed. */
export interface ReceivedRequest {
  /** Place in the order of arrival, from 0. */
  index: number;
  method: string;
  path: string;
  headers: IncomingHttpHeaders;
  /** `webhook-id`, or '' without one. */
  id: string;
  /** How many requests with this id came before this one, plus one. */
  attempt: number;
  body: Buffer;
  receivedAt: Date;
  /** The connection it came over, numbered from 0. */
  connection: number;
}

/** What a receiver does with a request. A number is a status with an empty body. */
export type Behaviour =
  | number
  | { status: number; headers?: Record<string, string>; body?: string | Buffer }
  /** Never answers; the socket stays open until the receiver closes. */
  | 'hang'
  /** Answers 200 and one byte of body after another, without an end. */
  | 'drip'
  /** Answers 200 and a body without an end, as fast as it is taken. */
  | 'flood'
  /** Resets the connection without an answer. */
  | 'reset'
  /** Writes these bytes to the socket as they are, and ends it. */
  | { raw: string };

export type Respond = (request: ReceivedRequest) => Behaviour | Promise<Behaviour>;

export interface Receiver extends AsyncDisposable {
  /** Where to post to, for example `http://127.0.0.1:41234/hooks`. */
  url: string;
  /** In order of arrival. */
  requests: ReceivedRequest[];
  /** Changes the behaviour from the next request on. */
  respond: Respond;
  /** How many requests came with each `webhook-id`. */
  countsById(): Map<string, number>;
  /** Resolves with all requests so far once there are `count` of them, or once `until` holds. Rejects after `withinMs`. */
  waitFor(until: number | ((requests: ReceivedRequest[]) => boolean), withinMs?: number): Promise<ReceivedRequest[]>;
  openConnections(): number;
  /** Resolves once no more than `count` connections are open. */
  waitForConnections(count: number): Promise<void>;
  /** Closes the sockets and stops listening; further calls do nothing. */
  close(): Promise<void>;
}

export interface ReceiverOptions {
  /** Default: 200 to everything. */
  respond?: Respond;
  /** To come back at the same address after a stop. Default: any free one. */
  port?: number;
  tls?: { key: string; cert: string };
}

/**
 * Starts an HTTP server on loopback that answers as it is told and keeps what it gets, for tests to look at.
 *
 *     await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt < 3 ? 500 : 200) });
 *     …
 *     const [first] = await receiver.waitFor(1);
 *     verifySignature(first, secret);
 */
export async function startReceiver(options: ReceiverOptions = {}): Promise<Receiver> {
  const { respond = () => 200, port = 0, tls } = options;
  const requests: ReceivedRequest[] = [];
  const counts = new Map<string, number>();
  const sockets = new Map<Socket, number>();
  const waiting = createConditions();

  const onRequest = (request: IncomingMessage, response: ServerResponse): void => {
    void readBody(request).then(async (body) => {
      if (body === undefined) return;
      const received = describe({ request, body, index: requests.length, counts, connection: sockets.get(request.socket) ?? -1 });
      requests.push(received);
      waiting.check();
      await behave(await receiver.respond(received), response);
    });
  };
  const server = tls ? createTlsServer(tls, onRequest) : createServer(onRequest);
  let connections = 0;
  server.on(tls ? 'secureConnection' : 'connection', (socket: Socket) => {
    sockets.set(socket, connections++);
    socket.on('error', () => undefined).on('close', () => {
      sockets.delete(socket);
      waiting.check();
    });
  });
  server.listen(port, '127.0.0.1');
  await once(server, 'listening');

  const receiver: Receiver = {
    url: `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}/hooks`,
    requests,
    respond,
    countsById: () => new Map(counts),
    async waitFor(until, withinMs = 10_000) {
      const holds = typeof until === 'number' ? () => requests.length >= until : () => until(requests);
      await waiting.wait(holds, withinMs, () => `the receiver got ${requests.length} requests with ${counts.size} ids`);
      return requests;
    },
    openConnections: () => sockets.size,
    waitForConnections: (count) =>
      waiting.wait(() => sockets.size <= count, 10_000, () => `${sockets.size} connections are open`),
    async close() {
      if (!server.listening) return;
      const closed = once(server, 'close');
      server.close();
      server.closeAllConnections();
      for (const socket of sockets.keys()) socket.destroy();
      await closed;
    },
    [Symbol.asyncDispose]: () => receiver.close(),
  };
  return receiver;
}

/** Throws where the request's signature, timestamp or id is not as Standard Webhooks says; the verifier is not ours. */
export function verifySignature(request: ReceivedRequest | undefined, secret: string): void {
  if (request === undefined) throw new Error('There is no request to verify.');
  new Webhook(secret).verify(request.body, request.headers as Record<string, string>);
}

function describe(arrived: {
  request: IncomingMessage;
  body: Buffer;
  index: number;
  counts: Map<string, number>;
  connection: number;
}): ReceivedRequest {
  const { request, body, index, counts, connection } = arrived;
  const id = String(request.headers['webhook-id'] ?? '');
  const attempt = (counts.get(id) ?? 0) + 1;
  counts.set(id, attempt);
  const { method = '', url: path = '', headers } = request;
  return { index, method, path, headers, id, attempt, body, receivedAt: new Date(), connection };
}

/** Undefined where the sender went away in the middle. */
async function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  const chunks: Buffer[] = [];
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer);
  } catch {
    return undefined;
  }
  return Buffer.concat(chunks);
}

async function behave(behaviour: Behaviour, response: ServerResponse): Promise<void> {
  if (behaviour === 'hang') return;
  if (behaviour === 'drip') return drip(response);
  if (behaviour === 'flood') return flood(response);
  if (behaviour === 'reset') return void response.socket?.resetAndDestroy();
  if (typeof behaviour === 'number') return void response.writeHead(behaviour).end();
  if ('raw' in behaviour) return void response.socket?.end(behaviour.raw, 'latin1');
  response.writeHead(behaviour.status, behaviour.headers).end(behaviour.body ?? '');
}

function drip(response: ServerResponse): void {
  response.writeHead(200);
  const timer = setInterval(() => response.write('.'), 5);
  response.on('close', () => clearInterval(timer));
}

function flood(response: ServerResponse): void {
  const chunk = Buffer.alloc(65_536, 'x');
  const pour = (): void => {
    while (!response.destroyed && response.write(chunk));
  };
  response.writeHead(200).on('drain', pour);
  pour();
}

/** Promises that wait until something holds, looked at again whenever something happened. */
function createConditions() {
  const conditions = new Set<() => void>();
  return {
    check: () => conditions.forEach((condition) => condition()),
    wait: (holds: () => boolean, withinMs: number, state: () => string) =>
      new Promise<void>((resolve, reject) => {
        const settle = (then: () => void): void => {
          clearTimeout(timer);
          conditions.delete(condition);
          then();
        };
        const timer = setTimeout(() => settle(() => reject(new Error(`After ${withinMs} ms ${state()}.`))), withinMs);
        const condition = (): void => (holds() ? settle(resolve) : undefined);
        conditions.add(condition);
        condition();
      }),
  };
}
