import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { GraphQLSchema } from 'graphql';
import type { AccessTokens } from '../accounts/access-tokens.ts';
import type { Standings } from '../accounts/standings.ts';
import { createContext, type Services } from '../graphql/context.ts';
import type { Log } from '../log.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { callbacksPath, createCallbackEndpoint, type AnswerCallback } from './callback-endpoint.ts';
import { clientAddress } from './client-address.ts';
import { createDocuments } from './documents.ts';
import { createErrorMask, internalError } from './errors.ts';
import { createGraphqlEndpoint } from './graphql-endpoint.ts';
import { sendJson } from './http-answer.ts';
import { defaultApiLimits, type ApiLimits } from './limits.ts';
import { createOperationRunner } from './operation.ts';
import { createPrepare, type Introspection } from './prepare.ts';
import { createBodyReader } from './read-body.ts';
import { unavailable } from './refused.ts';
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
  /** What becomes of a request to `/callbacks/<integration>`. */
  answerCallback: AnswerCallback;
  limits?: Partial<ApiLimits>;
  /** How long `close` waits for requests under way. */
  closeMs?: number;
}

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
  const graphql = createEndpoint(options, limits);
  const callbacks = createCallbackEndpoint({ answer: options.answerCallback, callers: options.callers, limits, addressOf: addressFinder(options) });
  let underWay = 0;

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
      underWay -= 1;
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
  return {
    listen: () => listen(server, options),
    close: () => close(server, options.closeMs ?? 10_000),
  };
}

function createEndpoint(options: ApiServerOptions, limits: ApiLimits): ReturnType<typeof createGraphqlEndpoint> {
  const { schema, services, forkEntityManager, tokens, standings, introspection, callers, log } = options;
  const documents = createDocuments({ schema, limits });
  const maskError = createErrorMask({ log });
  return createGraphqlEndpoint({
    identify: createIdentify({ tokens, standings }),
    bodies: createBodyReader(limits),
    callers,
    prepare: createPrepare({ schema, documents, limits, introspection }),
    operations: createOperationRunner({ schema, maskError, limits }),
    streams: createStreamEndpoint({ schema, maskError, limits, log }),
    addressOf: addressFinder(options),
    createContext: (viewer, address) => createContext({ viewer, address, services, forkEntityManager }),
  });
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
