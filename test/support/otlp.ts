import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A span as it is sent, and what of it tests look at. */
export interface SentSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId: string | undefined;
  attributes: Record<string, unknown>;
  /** Trace ids of what it links to. */
  links: string[];
}

/** Where traces are sent to, on loopback: keeps what comes. Source: OTLP 1.x, "OTLP/HTTP", JSON encoding. */
export interface OtlpReceiver extends AsyncDisposable {
  url: string;
  spans: SentSpan[];
}

interface Sent {
  resourceSpans: { scopeSpans: { spans: RawSpan[] }[] }[];
}
interface RawSpan {
  name: string;
  traceId: string;
  spanId: string;
  parentSpanId?: string;
  attributes?: { key: string; value: Record<string, unknown> }[];
  links?: { traceId: string }[];
}

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: SentSpan[] = [];
  const server = createServer((request, response) => {
    void (async () => {
      const chunks: Buffer[] = [];
      for await (const chunk of request) chunks.push(chunk as Buffer);
      if (request.url !== '/v1/traces') return response.writeHead(404).end();
      const sent = JSON.parse(Buffer.concat(chunks).toString()) as Sent;
      spans.push(...sent.resourceSpans.flatMap(({ scopeSpans }) => scopeSpans.flatMap((scope) => scope.spans.map(readSpan))));
      return response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    })();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

const readSpan = ({ name, traceId, spanId, parentSpanId, attributes = [], links = [] }: RawSpan): SentSpan => ({
  name,
  traceId,
  spanId,
  parentSpanId: parentSpanId === '' ? undefined : parentSpanId,
  attributes: Object.fromEntries(attributes.map(({ key, value }) => [key, Object.values(value)[0]])),
  links: links.map((link) => link.traceId),
});
