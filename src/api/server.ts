import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { GraphQLSchema } from 'graphql';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { Standings } from '../accounts/standings.ts';
import { newId, type Id } from '../events/id.ts';
import { createContext, type Context, type Services } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { createLiveCounts, type LiveCounts } from '../live/counts.ts';
import { createLiveHub, type LiveHub, type LiveHubOptions } from '../live/hub.ts';
import type { Transport } from '../live/member.ts';
import type { Log } from '../log.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { withinRequest } from '../request-scope.ts';
import { callbacksPath, createCallbackEndpoint, type AnswerCallback } from './callback-endpoint.ts';
import { changeLogger } from './change-log.ts';
import { clientAddress } from './client-address.ts';
import { followConnections } from './connections.ts';
import { createDocuments } from './documents.ts';
import { createErrorMask, internalError } from './errors.ts';
import { createGraphqlEndpoint } from './graphql-endpoint.ts';
import { sendJson } from './http-answer.ts';
import { defaultApiLimits, type ApiLimits } from './limits.ts';
import { createLiveEndpoint, type Unread } from './live-endpoint.ts';
import { createLivePlaces } from './live-places.ts';
import { listen } from './listening.ts';
import { acceptsStream } from './media-type.ts';
import { createOperationRunner } from './operation.ts';
import { pathOf } from './path-of.ts';
import { createPrepare, type Introspection } from './prepare.ts';
import { createProbes, isProbe, type ProbeOptions } from './probes.ts';
import { createBodyReader } from './read-body.ts';
import { answerTo, overloaded } from './refused.ts';
import { createSocketEndpoint, type SocketEndpoint } from './socket-endpoint.ts';
import type { Load } from './socket-session.ts';
import { createStreamEndpoint } from './stream-endpoint.ts';
import { createIdentify } from './viewer.ts';

export interface ApiServerOptions extends ProbeOptions {
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
  /** Follows requests to the API. */
  traceRequest?: TraceRequest | undefined;
  /** A request was answered, and how long that took; not told of streams and probes. */
  onAnswered?: ((facts: { path: string; status: number; durationMs: number }) => void) | undefined;
}

/** What subscriptions are told from, and how far back. */
export type LiveSources = Pick<LiveHubOptions, 'orders' | 'retentionMs' | 'now'>;

/** Who subscribes to a process now, what they have not read, and what has become of those before. */
export interface SubscriberState extends ReturnType<LiveHub['state']> {
  unread: Record<Transport, Unread>;
  counts: LiveCounts;
}

/** Follows a request for one answer while it runs; `statusOf` tells the answer's status afterwards. */
export type TraceRequest = (facts: { traceparent: string | undefined; method: string; path: string; statusOf: () => number }, run: () => Promise<void>) => Promise<void>;

export interface ApiServer {
  listen(): Promise<{ url: string }>;
  /** For the metrics. */
  subscribers(): SubscriberState;
  /** From now on each answer ends its connection: the next request of a client goes elsewhere. */
  leave(): void;
  /** Takes no new connections, ends subscriptions, lets requests under way finish for a while, then cuts what is left. */
  close(): Promise<void>;
}

/** The HTTP server of the API: `/graphql`, `/callbacks/…`, `/livez`, `/readyz`, `/metrics`. */
export function createApiServer(options: ApiServerOptions): ApiServer {
  const limits = { ...defaultApiLimits, ...options.limits };
  const streaming = new WeakSet<ServerResponse>();
  const load: Load = { underWay: 0 };
  const { graphql, sockets, subscribers, closeLive } = createEndpoints(options, {
    limits,
    load,
    isShared: ({ socket }) => connections.isShared(socket),
    streaming: (response) => {
      leave(response);
      connections.reserve(response);
    },
  });
  const probes = createProbes(options);
  const callbacks = createCallbackEndpoint({ answer: options.answerCallback, callers: options.callers, limits, addressOf: addressFinder(options) });
  /** Once for each request: when it is answered, or when it becomes a subscription. */
  const leave = (response: ServerResponse): void => {
    if (streaming.has(response)) return;
    streaming.add(response);
    load.underWay -= 1;
  };

  const answerGraphql = (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const { method = '', headers } = request;
    const run = () => graphql(request, response);
    if (!options.traceRequest || method !== 'POST' || acceptsStream(headers.accept)) return run();
    return options.traceRequest({ traceparent: headers['traceparent']?.toString(), method, path: '/graphql', statusOf: () => response.statusCode }, run);
  };

  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const path = pathOf(request);
    if (path.startsWith(callbacksPath)) return callbacks(request, response);
    if (path === '/graphql') return answerGraphql(request, response);
    if (await probes(request, response)) return undefined;
    return sendJson(response, { status: 404, body: { error: 'There is nothing here; the API is at /graphql.' } });
  };

  const tellAnswered = (request: IncomingMessage, response: ServerResponse, { id, began }: { id: Id<'req'>; began: number }): void => {
    if (isProbe(request)) return;
    const { statusCode: status, writableFinished: isSent } = response;
    const durationMs = performance.now() - began;
    options.log.debug({ requestId: id, method: request.method, path: knownPath(request), status, isSent, durationMs: Math.round(durationMs) }, 'request.answered');
    if (response.headersSent && !isStream(response)) options.onAnswered?.({ path: knownPath(request), status, durationMs });
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    // its answer would wait for the end of the subscription, and count as under way until then
    if (connections.isReserved(request.socket)) return void request.socket.destroy();
    if (load.underWay >= limits.requests) return sendJson(response, answerTo(overloaded()));
    load.underWay += 1;
    const begun = { id: newId('req'), began: performance.now() };
    response.setHeader('x-request-id', begun.id);
    response.once('close', () => {
      leave(response);
      tellAnswered(request, response, begun);
    });
    try {
      await withinRequest(begun.id, () => answer(request, response));
    } catch (error) {
      options.log.error({ requestId: begun.id, err: error, path: knownPath(request) }, 'request.failed');
      // A stream that broke after its first bytes can only be cut off.
      if (response.headersSent) response.destroy();
      else sendJson(response, { status: 500, body: { errors: [internalError()] } });
    }
  };

  // Longer than the idle time of the usual load balancers, so that they close a connection first and never meet a closed one.
  const server = createServer({ keepAliveTimeout: 65_000, requestTimeout: 60_000 }, (request, response) => void handle(request, response));
  const connections = followConnections(server);
  sockets.attach(server);
  return {
    listen: () => listen(server, options),
    subscribers,
    leave: connections.leave,
    close: async () => {
      if (!server.listening) return;
      const closed = connections.close(options.closeMs ?? 10_000);
      closeLive();
      const cut = await closed;
      if (Object.values(cut).some((count) => count > 0)) options.log.warn(cut, 'api.connections_cut');
    },
  };
}

interface Endpoints {
  graphql: ReturnType<typeof createGraphqlEndpoint>;
  sockets: SocketEndpoint;
  subscribers: ApiServer['subscribers'];
  /** Ends all subscriptions: each is told its cursor. */
  closeLive(): void;
}

interface Connected {
  limits: ApiLimits;
  load: Load;
  isShared: (request: IncomingMessage) => boolean;
  streaming: (response: ServerResponse) => void;
}

function createEndpoints(options: ApiServerOptions, { limits, load, isShared, streaming }: Connected): Endpoints {
  const { schema, services, forkEntityManager, tokens, standings, introspection, callers, log } = options;
  const maskError = createErrorMask({ log });
  const onChange = changeLogger(log);
  const createOperationContext = (viewer: Viewer | undefined, address: string): Context => createContext({ viewer, address, services, forkEntityManager, onChange });
  const counts = createLiveCounts(Object.keys(schema.getSubscriptionType()?.getFields() ?? {}));
  const hub = createLiveHub({ ...options.live, schema, standings, maskError, limits, counts, log, createContext: createOperationContext });
  const places = createLivePlaces({ limits, refused: counts.refused });
  const live = createLiveEndpoint({ hub, places, isShared });
  const shared = {
    identify: createIdentify({ tokens, standings }),
    callers,
    prepare: createPrepare({ schema, documents: createDocuments({ schema, limits }), limits, introspection }),
    operations: createOperationRunner({ schema, maskError, limits }),
    addressOf: addressFinder(options),
    createContext: createOperationContext,
  };
  const sockets = createSocketEndpoint({ ...shared, hub, places, counts, load, limits, log });
  return {
    graphql: createGraphqlEndpoint({ ...shared, bodies: createBodyReader(limits), streams: createStreamEndpoint({ schema, maskError, limits, log }), live, streaming }),
    sockets,
    subscribers: () => ({ ...hub.state(), unread: { sse: live.unread(), websocket: sockets.unread() }, counts }),
    closeLive: () => {
      hub.close();
      sockets.close();
      live.close();
    },
  };
}

const addressFinder = ({ trustedProxies }: ApiServerOptions) => ({ socket, headers }: IncomingMessage): string =>
  clientAddress({ remote: socket.remoteAddress, forwardedFor: headers['x-forwarded-for']?.toString(), trustedProxies });

/** Whatever else is asked for is nothing of ours, and may be long and hostile. */
function knownPath(request: IncomingMessage): string {
  const path = pathOf(request);
  if (path.startsWith(callbacksPath)) return '/callbacks';
  return path === '/graphql' ? path : 'other';
}

const isStream = (response: ServerResponse): boolean => String(response.getHeader('content-type')).startsWith('text/event-stream');
