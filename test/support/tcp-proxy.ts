import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Socket } from 'node:net';

/** A way to a server that can lose what is on it. */
export interface TcpProxy extends AsyncDisposable {
  port: number;
  /** From now on nothing of what the server says arrives. */
  loseReplies(): void;
  /** What comes over new connections from now on waits; answers how many there are, and lets them go. */
  holdNew(): { held: () => number; letGo: () => void };
  /** Breaks the connections there are; new ones lose nothing. */
  break(): void;
}

export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>();
  let isLosing = false;
  let holding: Socket[] | undefined;
  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1');
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on('error', () => undefined);
      socket.on('close', () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    client.on('data', (chunk) => upstream.write(chunk));
    if (holding) holding.push(client.pause());
    upstream.on('data', (chunk) => isLosing || client.write(chunk));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const breakAll = () => {
    isLosing = false;
    for (const socket of sockets) socket.destroy();
  };
  return {
    port: (server.address() as AddressInfo).port,
    loseReplies: () => {
      isLosing = true;
    },
    holdNew: () => {
      const sockets = (holding = []) as Socket[];
      return {
        held: () => sockets.length,
        letGo: () => {
          holding = undefined;
          for (const socket of sockets) socket.resume();
        },
      };
    },
    break: breakAll,
    async [Symbol.asyncDispose]() {
      const closed = once(server, 'close');
      server.close();
      breakAll();
      await closed;
    },
  };
}
