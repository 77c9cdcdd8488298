import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type OutgoingHttpHeaders, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { isSigned } from '../demo/receiver.ts';

/** What came in, and whether it is ours. */
export interface ReceivedWebhook {
  at: Date;
  id: string;
  /** undefined: there is nothing to check with. */
  isSigned: boolean | undefined;
  status: number;
  /** Why whoever should have answered did not. */
  trouble?: string | undefined;
  body: string;
}

/** What a webhook is answered with. */
export interface WebhookAnswer {
  status: number;
  headers?: OutgoingHttpHeaders;
  body?: Buffer | string;
  trouble?: string;
}

export interface WebhookReceiverOptions {
  port: number;
  /** Ends after so many. */
  count: number;
  /** Never rejects. */
  answer: (webhook: { headers: IncomingHttpHeaders; body: Buffer }) => Promise<WebhookAnswer> | WebhookAnswer;
  show: (webhook: ReceivedWebhook) => void;
}

const maxBodyBytes = 2 * 1024 * 1024;

/**
 * Answers every webhook, with 401 where it is not signed by the secret, and shows it. `ended` resolves after `count` of
 * them.
 */
export async function startWebhookReceiver(options: WebhookReceiverOptions) {
  let key: Buffer | undefined;
  let left = options.count;
  const ending = Promise.withResolvers<void>();
  const receive = async ({ headers }: IncomingMessage, body: Buffer, response: ServerResponse): Promise<void> => {
    const at = new Date();
    const signed = key && isSigned({ headers, body, key });
    const answer = signed === false ? { status: 401 } : await options.answer({ headers, body });
    response.writeHead(answer.status, answer.headers).end(answer.body, () => {
      if ((left -= 1) === 0) ending.resolve();
    });
    options.show({ at, id: String(headers['webhook-id'] ?? ''), isSigned: signed, status: answer.status, trouble: answer.trouble, body: body.toString() });
  };
  const server = createServer((request, response) => {
    void readBody(request).then((body) => receive(request, body, response), () => request.destroy());
  });
  server.listen(options.port, '127.0.0.1');
  await once(server, 'listening').catch((cause: unknown) => {
    throw new Error(`The port ${options.port} cannot be had: ${cause instanceof Error ? cause.message : String(cause)}. Say another --port, or none.`, { cause });
  });
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
