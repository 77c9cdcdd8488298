import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Requests } from './requests.ts';

/** Connections that each send the next request as soon as the one before is answered. */
export interface HttpLoad {
  /** Answers a second, over `forMs` after `warmUpMs`. Throws where an answer is not as it should be. */
  rate(options: { warmUpMs: number; forMs: number }): Promise<number>;
  close(): void;
}

/**
 * Written on sockets, without an HTTP client: what the generator costs is taken from what it measures, on a machine
 * with few cores. `isGood` looks at the body of each answer.
 */
export async function openHttpLoad(options: { url: string; connections: number; requests: Requests; isGood: (body: Buffer) => boolean }): Promise<HttpLoad> {
  const { requests, isGood } = options;
  const { hostname, port } = new URL(options.url);
  let isRunning = false;
  let answers = 0;
  let failure: Error | undefined;

  const sockets = await Promise.all(
    Array.from({ length: options.connections }, async () => {
      const socket = connect({ host: hostname, port: Number(port), noDelay: true });
      await once(socket, 'connect');
      return socket;
    }),
  );
  const idle = new Set(sockets);
  const send = (socket: Socket): void => {
    if (isRunning) socket.write(requests.next());
    else idle.add(socket);
  };
  for (const socket of sockets) {
    readAnswers(socket, ({ status, body }) => {
      answers += 1;
      if (status !== 200 || !isGood(body)) failure ??= new Error(`The server answered ${status}: ${body.toString().slice(0, 500)}`);
      send(socket);
    });
    socket.on('error', (error) => (failure ??= error));
    socket.on('close', () => (failure ??= new Error('The server has closed a connection.')));
  }

  return {
    rate: async ({ warmUpMs, forMs }) => {
      isRunning = true;
      for (const socket of idle) {
        idle.delete(socket);
        send(socket);
      }
      await sleep(warmUpMs);
      const before = { answers, at: performance.now() };
      await sleep(forMs);
      const rate = ((answers - before.answers) / (performance.now() - before.at)) * 1_000;
      isRunning = false;
      for (let waited = 0; idle.size < sockets.length && !failure && waited < 10_000; waited += 5) await sleep(5);
      if (failure) throw failure;
      return rate;
    },
    close: () => {
      for (const socket of sockets) socket.removeAllListeners('close').destroy();
    },
  };
}

/** Calls back for each answer on a connection. Answers must say how long they are. */
function readAnswers(socket: Socket, onAnswer: (answer: { status: number; body: Buffer }) => void): void {
  let held: Buffer = Buffer.alloc(0);
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      const headEnd = held.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const head = held.toString('latin1', 0, headEnd);
      const length = Number(/content-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + 4 + length;
      if (held.length < end) return;
      const answer = { status: Number(head.slice(9, 12)), body: held.subarray(headEnd + 4, end) };
      held = held.subarray(end);
      onAnswer(answer);
    }
  });
}
