import { once } from 'node:events';
import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSigned } from '../demo/receiver.ts';

/** What came in, and whether it is ours. */
export interface ReceivedWebhook {
  at: Date;
  id: string;
  /** undefined: there is nothing to check with. */
  isSigned: boolean | undefined;
  status: number;
  body: string;
}

const maxBodyBytes = 2 * 1024 * 1024;

/**
 * Answers every webhook with `status`, or 401 where it is not signed by the secret, and shows it. `ended` resolves after
 * `count` of them.
 */
export async function startWebhookReceiver(options: { port: number; status: number; count: number; show: (webhook: ReceivedWebhook) => void }) {
  let key: Buffer | undefined;
  let left = options.count;
  const ending = Promise.withResolvers<void>();
  const server = createServer((request, response) => {
    void readBody(request).then((body) => {
      const signed = key && isSigned({ headers: request.headers, body, key });
      const status = signed === false ? 401 : options.status;
      response.writeHead(status).end(() => {
        if ((left -= 1) === 0) ending.resolve();
      });
      options.show({ at: new Date(), id: String(request.headers['webhook-id'] ?? ''), isSigned: signed, status, body: body.toString() });
    }, () => request.destroy());
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`,
    ended: ending.promise,
    trust: (secret: string): void => {
      key = secret === '' ? undefined : Buffer.from(secret.replace('whsec_', ''), 'base64');
    },
    close: async (): Promise<void> => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

async function readBody(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of request as AsyncIterable<Buffer>) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes > maxBodyBytes) throw new Error('larger than any webhook of ours');
  }
  return Buffer.concat(chunks);
}
