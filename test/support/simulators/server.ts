import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Clock } from './clock.ts';
import { createFaults, type Faults, type Outcome } from './faults.ts';

/** A request as it came in, and what became of it. */
export interface LoggedRequest {
  /** Place in the order of arrival, from 0. */
  index: number;
  method: string;
  path: string;
  query: URLSearchParams;
  headers: IncomingHttpHeaders;
  body: Buffer;
  /** By the simulator's clock. */
  receivedAt: Date;
  /** What the service calls it, for example `sheets.batchUpdate`. */
  operation: string;
  /** Who asked, where the service can tell. */
  account?: string;
  /** Whether it took effect: it was handled, and answered below 400 (though that answer may never have arrived). */
  applied: boolean;
  /** The answer's status; undefined where none was sent. */
  status?: number;
  /** What went wrong with it on purpose. */
  fault?: Outcome['kind'] | 'delay';
}

export interface Reply {
  status: number;
  headers?: Record<string, string>;
  /** Sent as JSON, a string as it is; undefined for no body. */
  body?: unknown;
}

export interface Service {
  clock: Clock;
  describe(request: Pick<LoggedRequest, 'method' | 'path' | 'headers'>): { operation: string; account?: string };
  handle(request: LoggedRequest): Promise<Reply>;
  /** Default: any free one. */
  port?: number | undefined;
}

export interface Simulator extends AsyncDisposable {
  /** Without a slash at the end, for example `http://127.0.0.1:41234`. */
  url: string;
  /** In order of arrival. */
  requests: LoggedRequest[];
  faults: Faults<LoggedRequest>;
  /** Refuses connections until the returned scope ends; what was simulated stays. */
  outage(): Promise<AsyncDisposable>;
  /** Resets what is open and stops listening; further calls do nothing. */
  close(): Promise<void>;
}

/** Serves a simulated service on loopback: keeps a log, and lets go wrong what it is told to. */
export async function serve(service: Service): Promise<Simulator> {
  const requests: LoggedRequest[] = [];
  const faults = createFaults<LoggedRequest>();
  const sockets = new Set<Socket>();
  const server = createServer((incoming, response) => {
    void readBody(incoming).then(async (body) => {
      if (body === undefined) return;
      const request = logged({ service, incoming, body, index: requests.length });
      requests.push(request);
      await answer({ service, request, response, faults });
    });
  });
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined).on('close', () => sockets.delete(socket));
  });
  const listen = async (port: number): Promise<number> => {
    server.listen(port, '127.0.0.1');
    await once(server, 'listening');
    return (server.address() as AddressInfo).port;
  };
  const close = async (): Promise<void> => {
    if (!server.listening) return;
    const closed = once(server, 'close');
    server.close();
    for (const socket of sockets) socket.resetAndDestroy();
    await closed;
  };
  const port = await listen(service.port ?? 0);
  return {
    url: `http://127.0.0.1:${port}`,
    requests,
    faults,
    close,
    async outage() {
      await close();
      return { [Symbol.asyncDispose]: async () => void (await listen(port)) };
    },
    [Symbol.asyncDispose]: close,
  };
}

function logged(arrived: { service: Service; incoming: IncomingMessage; body: Buffer; index: number }): LoggedRequest {
  const { service, incoming, body, index } = arrived;
  const { pathname: path, searchParams: query } = new URL(incoming.url ?? '/', 'http://simulator');
  const { method = '', headers } = incoming;
  const described = service.describe({ method, path, headers });
  return { index, method, path, query, headers, body, receivedAt: service.clock.now(), ...described, applied: false };
}

async function answer(at: {
  service: Service;
  request: LoggedRequest;
  response: ServerResponse;
  faults: Faults<LoggedRequest>;
}): Promise<void> {
  const { service, request, response, faults } = at;
  const fault = faults.take(request);
  if (fault) request.fault = fault.outcome?.kind ?? 'delay';
  if (fault?.delayMs !== undefined) await sleep(fault.delayMs);
  const handle = async (): Promise<Reply> => {
    const reply = await service.handle(request);
    request.applied = reply.status < 400;
    if (fault?.answerDelayMs !== undefined) await sleep(fault.answerDelayMs);
    return reply;
  };
  const outcome = fault?.outcome;
  if (outcome === undefined) return send(request, response, await handle());
  switch (outcome.kind) {
    case 'reply':
      if (outcome.applied) await handle();
      return send(request, response, outcome.reply);
    case 'drop':
      if (outcome.applied) await handle();
      return void response.socket?.resetAndDestroy();
    case 'hang':
      if (outcome.applied) await handle();
      return undefined;
    case 'malformed':
      await handle();
      return send(request, response, { status: 200, body: '<!doctype html><title>Error</title>' });
    case 'truncated':
      return truncate(response, await handle());
  }
}

function send(request: LoggedRequest, response: ServerResponse, reply: Reply): void {
  request.status = reply.status;
  response.writeHead(reply.status, { 'content-type': 'application/json; charset=UTF-8', ...reply.headers });
  response.end(textOf(reply));
}

function truncate(response: ServerResponse, reply: Reply): void {
  const body = Buffer.from(textOf(reply));
  response.writeHead(reply.status, { 'content-type': 'application/json; charset=UTF-8', 'content-length': body.length + 1 });
  response.write(body.subarray(0, Math.floor(body.length / 2)), () => response.socket?.destroy());
}

function textOf({ body }: Reply): string {
  if (body === undefined) return '';
  return typeof body === 'string' ? body : JSON.stringify(body);
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
