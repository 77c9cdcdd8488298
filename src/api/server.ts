import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { GraphQLSchema } from 'graphql';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { Standings } from '../accounts/standings.ts';
import { createContext, type Context, type Services } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { createLiveHub, type LiveHubOptions } from '../live/hub.ts';
import type { Log } from '../log.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { callbacksPath, createCallbackEndpoint, type AnswerCallback } from './callback-endpoint.ts';
import { clientAddress } from './client-address.ts';
import { createDocuments } from './documents.ts';
import { createErrorMask, internalError } from './errors.ts';
import { createGraphqlEndpoint } from './graphql-endpoint.ts';
import { sendJson } from './http-answer.ts';
import { defaultApiLimits, type ApiLimits } from './limits.ts';
import { createLiveEndpoint } from './live-endpoint.ts';
import { createLivePlaces } from './live-places.ts';
import { createOperationRunner } from './operation.ts';
import { createPrepare, type Introspection } from './prepare.ts';
import { createBodyReader } from './read-body.ts';
import { unavailable } from './refused.ts';
import { createSocketEndpoint, type SocketEndpoint } from './socket-endpoint.ts';
import { createStreamEndpoint } from './stream-endpoint.ts';
import { createIdentify } from './viewer.ts';

export interface ApiServerOptions {
  schema: GraphQLSchema;
  services: Services;
  /** A unit of work for one operation; asked for only where an operation reads entities. */
  forkEntityManager: () => EntityManager;
  tokens: AccessTokens;
  standings: Standings;
  /** How many proxies of ours stand before this server; see `clientAddress`. */
  trustedProxies: number;
  log: Log;
  host: string;
  /** 0 takes a free one. */
  port: number;
  /** Whether this process can take requests now, and if not, why. */
  readiness: () => Promise<Readiness>;
  introspection: Introspection;
  /** How often each caller may call. */
  callers: CallerLimits;
  /** What subscriptions are told from. */
  live: LiveSources;
  /** What becomes of a request to `/callbacks/<integration>`. */
  answerCallback: AnswerCallback;
  limits?: Partial<ApiLimits>;
  /** How long `close` waits for requests under way. */
  closeMs?: number;
}

/** What subscriptions are told from, and how far back. */
export type LiveSources = Pick<LiveHubOptions, 'settled' | 'bell' | 'retentionMs' | 'now'>;

export interface Readiness {
  ready: boolean;
  reasons: string[];
}

export interface ApiServer {
  listen(): Promise<{ url: string }>;
  /** Stops accepting, lets requests under way finish for a while, then closes what is left. */
  close(): Promise<void>;
}

/** The HTTP server of the API: `/graphql`, `/callbacks/…`, `/livez`, `/readyz`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const limits = { ...defaultApiLimits, ...options.limits };
  const streaming = new WeakSet<ServerResponse>();
  const { graphql, sockets, closeLive } = createEndpoints(options, { limits, streaming: (response) => leave(response) });
  const callbacks = createCallbackEndpoint({ answer: options.answerCallback, callers: options.callers, limits, addressOf: addressFinder(options) });
  let underWay = 0;
  /** Once for each request: when it is answered, or when it becomes a subscription. */
  const leave = (response: ServerResponse): void => {
    if (streaming.has(response)) return;
    streaming.add(response);
    underWay -= 1;
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request);
    if (path.startsWith(callbacksPath)) return callbacks(request, response);
    switch (path) {
      case '/graphql':
        return graphql(request, response);
      case '/livez':
        return sendJson(response, { status: 200, body: { status: 'ok' } });
      case '/readyz': {
        const { ready, reasons } = await options.readiness();
        return sendJson(response, { status: ready ? 200 : 503, body: { ready, reasons } });
      }
      default:
        return sendJson(response, { status: 404, body: { error: 'There is nothing here; the API is at /graphql.' } });
    }
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (underWay >= limits.requests) return sendJson(response, unavailable('OVERLOADED', 'Too many requests are under way; try again.', 1_000));
    underWay += 1;
    response.once('close', () => {
      leave(response);
      if (!server.listening) setImmediate(() => server.closeIdleConnections()); // kept alive, it would hold up `close`
    });
    try {
      await answer(request, response);
    } catch (error) {
      options.log.error({ err: error, path: pathOf(request) }, 'request.failed');
      // A stream that broke after its first bytes can only be cut off.
      if (response.headersSent) response.destroy();
      else sendJson(response, { status: 500, body: { errors: [internalError()] } });
    }
  };

  // Longer than the idle time of the usual load balancers, so that they close a connection first and never meet a closed one.
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 60_000 }, (request, response) => void handle(request, response));
  sockets.attach(server);
  return {
    listen: () => listen(server, options),
    close: async () => {
      const closed = close(server, options.closeMs ?? 10_000);
      closeLive();
      await closed;
    },
  };
}

interface Endpoints {
  graphql: ReturnType<typeof createGraphqlEndpoint>;
  sockets: SocketEndpoint;
  /** Ends all subscriptions: each is told its cursor. */
  closeLive(): void;
}

function createEndpoints(options: ApiServerOptions, { limits, streaming }: { limits: ApiLimits; streaming: (response: ServerResponse) => void }): Endpoints {
  const { schema, services, forkEntityManager, tokens, standings, introspection, callers, log } = options;
  const maskError = createErrorMask({ log });
  const createOperationContext = (viewer: Viewer | undefined, address: string): Context => createContext({ viewer, address, services, forkEntityManager });
  const hub = createLiveHub({ ...options.live, schema, standings, maskError, limits, log, createContext: createOperationContext });
  const places = createLivePlaces(limits);
  const live = createLiveEndpoint({ hub, places });
  const shared = {
    identify: createIdentify({ tokens, standings }),
    callers,
    prepare: createPrepare({ schema, documents: createDocuments({ schema, limits }), limits, introspection }),
    operations: createOperationRunner({ schema, maskError, limits }),
    addressOf: addressFinder(options),
    createContext: createOperationContext,
  };
  const sockets = createSocketEndpoint({ ...shared, hub, places, limits, log });
  return {
    graphql: createGraphqlEndpoint({ ...shared, bodies: createBodyReader(limits), streams: createStreamEndpoint({ schema, maskError, limits, log }), live, streaming }),
    sockets,
    closeLive: () => {
      hub.close();
      sockets.close();
      live.close();
    },
  };
}

const addressFinder = ({ trustedProxies }: ApiServerOptions) => ({ socket, headers }: IncomingMessage): string =>
  clientAddress({ remote: socket.remoteAddress, forwardedFor: headers['x-forwarded-for']?.toString(), trustedProxies });

const pathOf = ({ url = '/' }: IncomingMessage): string => {
  const cut = url.indexOf('?');
  return cut === -1 ? url : url.slice(0, cut);
};

interface Address {
  host: string;
  port: number;
}

/** Throws a sentence for people where nothing can listen there: to be asked before anything is begun. */
export async function checkAddress(address: Address): Promise<void> {
  const probe = createServer();
  await listen(probe, address);
  await close(probe, 0);
}

function listen(server: Server, { host, port }: Address): Promise<{ url: string }> {
  return new Promise((resolve, reject) => {
    const fail = (error: NodeJS.ErrnoException): void => reject(new Error(whyNotListening(error, { host, port }), { cause: error }));
    server.once('error', fail);
    server.listen(port, host, () => {
      server.off('error', fail);
      const address = server.address() as AddressInfo; // a TCP server that listens has one
      resolve({ url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}` });
    });
  });
}

function whyNotListening({ code = '', message }: NodeJS.ErrnoException, { host, port }: Address): string {
  if (code === 'EADDRINUSE') return `Port ${port} is in use, perhaps by another Formwire: stop it, or set PORT.`;
  if (code === 'EACCES') return `Port ${port} is not open to this user: set PORT to one from 1024 on.`;
  if (['EADDRNOTAVAIL', 'ENOTFOUND', 'EAI_AGAIN', 'EINVAL', 'EAFNOSUPPORT'].includes(code)) {
    return `HOST ${host} is no address of this machine: set HOST to one that is, such as 127.0.0.1, or to 0.0.0.0 for all.`;
  }
  return `Nothing can listen at HOST ${host}, PORT ${port}: ${message}`;
}

function close(server: Server, closeMs: number): Promise<void> {
  return new Promise((resolve) => {
    if (!server.listening) return resolve();
    const timer = setTimeout(() => server.closeAllConnections(), closeMs);
    server.close(() => {
      clearTimeout(timer);
      resolve();
    });
    server.closeIdleConnections();
  });
}
