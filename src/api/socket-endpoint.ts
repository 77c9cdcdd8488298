import { STATUS_CODES, type IncomingMessage, type Server } from 'node:http';
import type { Duplex } from 'node:stream';
import { GRAPHQL_TRANSPORT_WS_PROTOCOL } from 'graphql-ws';
import { WebSocketServer, type ServerOptions, type WebSocket } from 'ws';
import type { ApiLimits } from './limits.ts';
import type { Unread } from './live-endpoint.ts';
import type { LivePlaces } from './live-places.ts';
import { pathOf } from './path-of.ts';
import { answerTo } from './refused.ts';
import { createSocketBeats } from './socket-beats.ts';
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
/** How long a client may take to answer that its WebSocket is closed: until then it holds its place. */
const closingMs = 2_000;

/** GraphQL over WebSocket: the protocol `graphql-transport-ws`. */
export function createSocketEndpoint(deps: SocketEndpointDeps): SocketEndpoint {
  const { addressOf, places, limits } = deps;
  const settings: ServerOptions & { closeTimeout: number } = {
    noServer: true,
    maxPayload: limits.socketMessageBytes,
    perMessageDeflate: false,
    closeTimeout: closingMs,
    handleProtocols: (offered) => (offered.has(GRAPHQL_TRANSPORT_WS_PROTOCOL) ? GRAPHQL_TRANSPORT_WS_PROTOCOL : false),
  };
  const sockets = new WebSocketServer(settings);
  // longer than a subscription may be unread, which is ended with its cursor
  const beats = createSocketBeats({ mostUnreadMs: 2 * limits.unreadMs, now: () => performance.now() });
  const sessions = new Map<WebSocket, SocketSession>();
  let isClosing = false;
  const beating = setInterval(() => {
    for (const socket of sockets.clients) beats.beat(socket);
  }, beatEveryMs).unref();

  const upgrade = (request: IncomingMessage, connection: Duplex, first: Buffer): void => {
    if (isClosing) return refuse(connection, 503);
    if (pathOf(request) !== '/graphql') return refuse(connection, 404);
    const offered = request.headers['sec-websocket-protocol'] ?? '';
    if (!offered.split(',').some((name) => name.trim() === GRAPHQL_TRANSPORT_WS_PROTOCOL)) return refuse(connection, 400);
    const address = addressOf(request);
    const giveBack = taken(() => places.takeConnection(address));
    if (typeof giveBack === 'number') return refuse(connection, giveBack);
    connection.once('close', giveBack);
    sockets.handleUpgrade(request, connection, first, (socket) => {
      socket.on('pong', () => beats.heard(socket)).on('error', () => socket.terminate());
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

/** A place, or the status that says why there is none. */
function taken(take: () => () => void): (() => void) | number {
  try {
    return take();
  } catch (error) {
    return answerTo(error).status;
  }
}

/** Before there is a WebSocket, in HTTP. The client's side is not waited for: one that never ends it would keep the connection. */
function refuse(connection: Duplex, status: number): void {
  connection.once('finish', () => connection.destroy());
  connection.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\nconnection: close\r\ncontent-length: 0\r\n\r\n`);
}
