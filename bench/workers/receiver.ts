import { createServer, type AddressInfo, type Socket } from 'node:net';
import { answerBench } from '../workers.ts';

/** What came in since the last `reset`. */
export interface Received {
  count: number;
  /** How many of them a replay sent: their events happened long ago, so they count for nothing else here. */
  replayed: number;
  /** Of the first and the last, in milliseconds since 1970. */
  firstAt: number;
  lastAt: number;
  /** From the time an event says it happened to its receipt; of the first 100,000. */
  latenciesMs: number[];
}

const answer = Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
const maxLatencies = 100_000;
const timestampMark = '"timestamp":"';

let received: Received;
reset();

/** The least an HTTP server can do: reads each request by its length, says 200, and takes down when it came. */
function serve(socket: Socket): void {
  let held: Buffer = Buffer.alloc(0);
  socket.setNoDelay(true);
  socket.on('error', () => undefined);
  socket.on('data', (chunk: Buffer) => {
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
    for (;;) {
      const headEnd = held.indexOf('\r\n\r\n');
      if (headEnd === -1) return;
      const head = held.toString('latin1', 0, headEnd);
      const length = Number(/\r\ncontent-length: (\d+)/i.exec(head)?.[1] ?? 0);
      const end = headEnd + 4 + length;
      if (held.length < end) return;
      note(held.subarray(headEnd + 4, end), /\r\nwebhook-replay:/i.test(head));
      held = held.subarray(end);
      socket.write(answer);
    }
  });
}

function note(body: Buffer, isReplayed: boolean): void {
  const at = performance.timeOrigin + performance.now();
  received.count += 1;
  if (isReplayed) return void (received.replayed += 1);
  received.firstAt ||= at;
  received.lastAt = at;
  if (received.latenciesMs.length >= maxLatencies) return;
  const mark = body.indexOf(timestampMark);
  const happenedAt = mark === -1 ? Number.NaN : Date.parse(body.toString('latin1', mark + timestampMark.length, mark + timestampMark.length + 24));
  if (!Number.isNaN(happenedAt)) received.latenciesMs.push(at - happenedAt);
}

function reset(): void {
  received = { count: 0, replayed: 0, firstAt: 0, lastAt: 0, latenciesMs: [] };
}

function listen(): Promise<string> {
  const server = createServer(serve);
  return new Promise((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve(`http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`));
  });
}

answerBench({ listen, reset, received: () => received, count: () => received.count });
