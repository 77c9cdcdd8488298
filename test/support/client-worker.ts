import { once } from 'node:events';
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { Worker } from 'node:worker_threads';

const source = `
const { request } = require('node:http');
const { parentPort } = require('node:worker_threads');
parentPort.on('message', ({ url, headers, body }) => {
  const call = request(url, { method: 'POST', headers: { 'content-type': 'application/json', ...headers } }, (reply) => {
    const chunks = [];
    reply.on('data', (chunk) => chunks.push(chunk));
    reply.on('end', () => parentPort.postMessage({ status: reply.statusCode, text: Buffer.concat(chunks).toString() }));
    reply.on('error', () => parentPort.postMessage({ status: reply.statusCode, text: '' }));
  });
  call.on('error', (error) => parentPort.postMessage({ status: 0, text: error.message }));
  call.end(Buffer.from(body));
});`;

export interface Sent {
  status: number;
  text: string;
  /** The longest that this process's event loop was held up meanwhile. */
  delayMs: number;
}

/** A client in a thread of its own, so that this process's event loop does the server's work alone. */
export function startClientWorker(url: string): { send(body: string | Buffer, headers?: Record<string, string>): Promise<Sent> } & AsyncDisposable {
  const worker = new Worker(source, { eval: true });
  return {
    async send(body, headers = {}) {
      const bytes = Buffer.from(body);
      const delay = monitorEventLoopDelay({ resolution: 1 });
      delay.enable();
      worker.postMessage({ url: `${url}/graphql`, headers, body: bytes }); // oxlint-disable-line unicorn/require-post-message-target-origin -- a worker thread, no window
      const [reply] = (await once(worker, 'message')) as [Omit<Sent, 'delayMs'>];
      delay.disable();
      return { ...reply, delayMs: delay.max / 1e6 };
    },
    [Symbol.asyncDispose]: async () => void (await worker.terminate()),
  };
}
