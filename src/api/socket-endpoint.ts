import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer, type WebSocket } from 'ws';
import { UnavailableError } from '../user-error.ts';
import type { ApiLimits } from './limits.ts';
import type { Unread } from './live-endpoint.ts';
import type { LivePlaces } from './live-places.ts';
import { pathOf } from './path-of.ts';
import { serveSocket, type SocketDeps, type SocketSession } from './socket-session.ts';

export interface SocketEndpointDeps extends Omit<SocketDeps, 'address' | 'authorization'> {
  addressOf: (request: IncomingMessage) => string;
  places: LivePlaces;
  limits: ApiLimits;
}

export interface SocketEndpoint {
  /** Takes the WebSockets that come to a server's `/graphql`. */
  attach(server: Server): void;
  /** Open ones, and what they have not read of what was sent. */
  unread(): Unread;
  /** Takes no more, and ends each that is open when what was asked for over it is answered: the clients are told to come back. */
  close(): void;
}

const beatEveryMs = 15_000;

/** GraphQL over WebSocket: the protocol `graphql-transport-ws`. */
export function createSocketEndpoint(deps: SocketEndpointDeps): SocketEndpoint {
  const { addressOf, places, limits } = deps;
  const sockets = new WebSocketServer({
    noServer: true,
    maxPayload: limits.bodyBytes,
    perMessageDeflate: false,
    handleProtocols: (offered) => (offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false),
  });
  const silent = new WeakSet<WebSocket>();
  const sessions = new Map<WebSocket, SocketSession>();
  let isClosing = false;
  const beating = setInterval(() => {
    for (const socket of sockets.clients) {
      if (silent.has(socket)) socket.terminate(); // has not answered the last one
      silent.add(socket);
      socket.ping();
    }
  }, beatEveryMs).unref();

  const upgrade = (request: IncomingMessage, connection: Duplex, first: Buffer): void => {
    if (isClosing) return refuse(connection, 503);
    if (pathOf(request) !== '/graphql') return refuse(connection, 404);
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (!offered.split(',').some((name) => name.trim() === GRAPHQL_TRANSPORT_WS_PROTOCOL)) return refuse(connection, 400);
    const address = addressOf(request);
    const giveBack = taken(() => places.takeConnection(address));
    if (!giveBack) return refuse(connection, 503);
    connection.once('close', giveBack);
    sockets.handleUpgrade(request, connection, first, (socket) => {
      socket.on('pong', () => silent.delete(socket)).on('error', () => socket.terminate());
      socket.once('close', () => sessions.delete(socket));
      sessions.set(socket, serveSocket(socket, { ...deps, address, authorization: request.headers.authorization }));
    });
  };

  return {
    attach: (server) => void server.on('upgrade', (request, connection, first) => {
      connection.on('error', () => connection.destroy());
      upgrade(request, connection, first);
    }),
    unread: () => ({ connections: sockets.clients.size, bytes: [...sockets.clients].reduce((sum, socket) => sum + socket.bufferedAmount, 0) }),
    close: () => {
      clearInterval(beating);
      isClosing = true;
      for (const session of sessions.values()) session.leave();
    },
  };
}

function taken(take: () => () => void): (() => void) | undefined {
  try {
    return take();
  } catch (error) {
    if (error instanceof UnavailableError) return undefined;
    throw error;
  }
}

/** Before there is a WebSocket, in HTTP. The client's side is not waited for: one that never ends it would keep the connection. */
function refuse(connection: Duplex, status: number): void {
  connection.once('finish', () => connection.destroy());
  connection.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
