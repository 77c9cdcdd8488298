import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as TcpServer, type Socket } from 'node:net';

/** The connections of a server, so that it can end in order. */
export interface Connections {
  /** Whether a connection has other requests under way, which its client sent without waiting. */
  isShared(socket: Socket): boolean;
  /** Keeps the connection of an answer for it alone until it ends. */
  reserve(response: ServerResponse): void;
  isReserved(socket: Socket): boolean;
  /** From now on each answer ends its connection, also of requests that are under way: the client's next goes elsewhere. */
  leave(): void;
  /**
   * Takes no new connections, lets what is under way finish, closes what is quiet, and cuts at the bound what is left;
   * answers what that was.
   */
  close(boundMs: number): Promise<Cut>;
}

/** Connections that were cut, by what they were at. */
export interface Cut {
  /** A request was still on its way in. */
  arriving: number;
  /** An answer was being made. */
  running: number;
  /** An answer was on its way out. */
  answering: number;
  webSockets: number;
  /** Nothing, and too shortly for that to be sure. */
  quiet: number;
}

interface Connection {
  /** Requests under way on it, each with its answer: several where a client does not wait. */
  exchanges: Set<ServerResponse>;
  reservedFor: ServerResponse | undefined;
  isWebSocket: boolean;
  quietSince: number;
  /** What it had brought by then. */
  bytes: number;
}

/**
 * How long a connection must have brought nothing before it is closed. A request that is on its way to a connection which
 * the server just closes is lost, and no client may repeat a mutation by itself: longer than a request takes to come.
 * Source: RFC 9112, 9.3.1 and 9.6.
 */
const quietMs = 250;
const lookEveryMs = 25;

/** Follows every connection of `server`; to be called before it listens. */
export function followConnections(server: Server): Connections {
  const open = new Map<Socket, Connection>();
  let leftAt = Infinity;

  server.on('connection', (socket) => {
    open.set(socket, { exchanges: new Set(), reservedFor: undefined, isWebSocket: false, quietSince: performance.now(), bytes: 0 });
    socket.once('close', () => open.delete(socket));
  });
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = open.get(request.socket);
    if (!connection) return;
    connection.exchanges.add(response);
    if (leftAt < Infinity) response.setHeader('connection', 'close');
    response.once('close', () => {
      connection.exchanges.delete(response);
      if (connection.reservedFor === response) connection.reservedFor = undefined;
      [connection.quietSince, connection.bytes] = [performance.now(), request.socket.bytesRead];
    });
  });
  server.prependListener('upgrade', (request: IncomingMessage) => {
    const connection = open.get(request.socket);
    if (connection) connection.isWebSocket = true;
  });

  const leave = (): void => {
    if (leftAt < Infinity) return;
    leftAt = performance.now();
    for (const { exchanges } of open.values()) for (const response of exchanges) if (!response.headersSent) response.setHeader('connection', 'close');
  };

  /** Node's own `closeIdleConnections` closes also what has answered a moment ago, and waits for what has never asked. */
  const closeQuiet = (): void => {
    const now = performance.now();
    for (const [socket, connection] of open) {
      if (connection.isWebSocket || connection.exchanges.size > 0) continue;
      if (socket.bytesRead > connection.bytes) [connection.quietSince, connection.bytes] = [now, socket.bytesRead];
      if (now - Math.max(connection.quietSince, leftAt) >= quietMs) socket.destroySoon();
    }
  };

  const cut = (): Cut => {
    const counts = { arriving: 0, running: 0, answering: 0, webSockets: 0, quiet: 0 };
    for (const [socket, connection] of open) {
      counts[stageOf(connection)] += 1;
      socket.destroy();
    }
    return counts;
  };

  const closeWithin = (boundMs: number, done: (cut: Cut) => void): void => {
    let left: Cut = { arriving: 0, running: 0, answering: 0, webSockets: 0, quiet: 0 };
    const looking = setInterval(() => setImmediate(closeQuiet), lookEveryMs);
    const bound = setTimeout(() => (left = cut()), boundMs);
    // not the HTTP server's own `close`, which ends quiet connections at once
    TcpServer.prototype.close.call(server, () => {
      clearInterval(looking);
      clearTimeout(bound);
      done(left);
    });
    closeQuiet();
  };

  const reserve = (response: ServerResponse): void => {
    const connection = open.get(response.req.socket);
    if (connection) connection.reservedFor = response;
  };

  return {
    reserve,
    isReserved: (socket) => open.get(socket)?.reservedFor !== undefined,
    isShared: (socket) => (open.get(socket)?.exchanges.size ?? 0) > 1,
    leave,
    close: (boundMs) => {
      leave();
      // once what has come by now was read: a connection that is not accepted yet would be refused
      return new Promise((resolve) => setImmediate(closeWithin, boundMs, resolve));
    },
  };
}

function stageOf({ exchanges, isWebSocket }: Connection): keyof Cut {
  if (isWebSocket) return 'webSockets';
  const [response] = exchanges;
  if (!response) return 'quiet';
  if (response.headersSent) return 'answering';
  return response.req.complete ? 'running' : 'arriving';
}
