import { createHmac, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** What a partner runs: takes webhooks, checks each signature, and fails some of them on purpose. */
export interface DemoReceiver {
  url: string;
  /** The secret that the integration's creation showed once. */
  trust(secret: string): void;
  counts(): { requests: number; received: number; verified: number; failedOnPurpose: number };
  /** Milliseconds from a response's acceptance to the first time it came in, one for each response. */
  latenciesMs(): number[];
  close(): Promise<void>;
}

/** `failShare`: of the events, failed at their first attempt. */
export async function startDemoReceiver(options: { failShare: number }): Promise<DemoReceiver> {
  const latencies = new Map<string, number>();
  const accepted = new Set<string>();
  let key = Buffer.alloc(0);
  let requests = 0;
  let verified = 0;
  let failedOnPurpose = 0;

  const receive = (headers: IncomingHttpHeaders, body: Buffer): number => {
    requests += 1;
    if (!isSigned({ headers, body, key })) return 401;
    verified += 1;
    const id = String(headers['webhook-id']);
    if (!latencies.has(id)) {
      latencies.set(id, Date.now() - acceptedAt(body));
      if (Math.random() < options.failShare) {
        failedOnPurpose += 1;
        return 500;
      }
    }
    accepted.add(id);
    return 204;
  };

  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => response.writeHead(receive(request.headers, Buffer.concat(chunks))).end());
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/webhooks`,
    trust: (secret) => {
      key = Buffer.from(secret.replace('whsec_', ''), 'base64');
    },
    counts: () => ({ requests, received: accepted.size, verified, failedOnPurpose }),
    latenciesMs: () => [...latencies.values()],
    close: async () => {
      server.close();
      server.closeAllConnections();
      await once(server, 'close');
    },
  };
}

/** Checks a webhook as any partner can, in any language; `key`: what stands behind `whsec_`, decoded. Source: Standard Webhooks 1.0, "Verifying signatures". */
export function isSigned({ headers, body, key }: { headers: IncomingHttpHeaders; body: Buffer; key: Buffer }): boolean {
  const { 'webhook-id': id, 'webhook-timestamp': timestamp, 'webhook-signature': signatures } = headers;
  const isFresh = Math.abs(Date.now() / 1_000 - Number(timestamp)) < 300;
  const expected = Buffer.from(createHmac('sha256', key).update(`${String(id)}.${String(timestamp)}.`).update(body).digest('base64'));
  return (
    isFresh &&
    String(signatures)
      .split(' ')
      .some((signature) => {
        const given = Buffer.from(signature.replace('v1,', ''));
        return given.length === expected.length && timingSafeEqual(given, expected);
      })
  );
}

function acceptedAt(body: Buffer): number {
  const event = JSON.parse(body.toString()) as { data: { response: { submittedAt: string } } };
  return Date.parse(event.data.response.submittedAt);
}
