import { connect, type Socket } from 'node:net';
import { answerBench } from '../workers.ts';

const mark = Buffer.from('event: next\n');
const sockets = new Set<Socket>();
let told = 0;
let lastAt = 0;

/** Counts results, also where one is cut between two chunks. */
function count(chunk: Buffer, held: Buffer): Buffer {
  const text = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
  let from = 0;
  for (let at = text.indexOf(mark); at !== -1; at = text.indexOf(mark, from)) {
    told += 1;
    from = at + mark.length;
  }
  lastAt = performance.timeOrigin + performance.now();
  return text.subarray(Math.max(from, text.length - mark.length + 1));
}

/** Subscribes over a socket of its own; resolves when the answer has begun. */
function subscribe({ url, body, authorization }: { url: string; body: string; authorization: string | undefined }): Promise<void> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve, reject) => {
    let held: Buffer = Buffer.alloc(0);
    const socket = connect(Number(port), hostname);
    sockets.add(socket);
    socket.on('error', reject).on('data', (chunk: Buffer) => (held = count(chunk, held)));
    socket.once('data', (head: Buffer) => (head.toString().startsWith('HTTP/1.1 200') ? resolve() : reject(new Error(head.toString()))));
    const lines = ['POST /graphql HTTP/1.1', `host: ${hostname}`, 'content-type: application/json', 'accept: text/event-stream', `content-length: ${Buffer.byteLength(body)}`];
    socket.write(`${[...lines, ...(authorization === undefined ? [] : [`authorization: ${authorization}`])].join('\r\n')}\r\n\r\n${body}`);
  });
}

async function open(call: { url: string; body: string; authorization: string | undefined; count: number }): Promise<void> {
  for (let opened = 0; opened < call.count; opened += 50) await Promise.all(Array.from({ length: Math.min(50, call.count - opened) }, () => subscribe(call)));
}

answerBench({
  open,
  told: () => ({ told, lastAt }),
  reset: () => {
    told = 0;
  },
  close: () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
  },
});
