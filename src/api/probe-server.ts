import { createServer } from 'node:http';
import type { Log } from '../log.ts';
import { sendJson } from './http-answer.ts';
import { close, listen, type Address } from './listening.ts';
import { pathOf } from './path-of.ts';
import { createProbes, type ProbeOptions } from './probes.ts';

/** A server for a process without the API: `/livez`, `/readyz`, `/metrics`, and nothing else. */
export interface ProbeServer {
  listen(): Promise<{ url: string }>;
  close(): Promise<void>;
}

/** Probes have no body and come one by one. */
const bounds = { maxHeaderSize: 8_192, requestTimeout: 5_000, keepAliveTimeout: 5_000 };
const maxConnections = 64;
const closeMs = 1_000;

export function createProbeServer(options: ProbeOptions & { address: Address; log: Log }): ProbeServer {
  const probes = createProbes(options);
  const server = createServer(bounds, (request, response) => {
    probes(request, response).then(
      (isDone) => {
        if (!isDone) sendJson(response, { status: 404, body: { error: 'There is nothing here but /livez, /readyz and /metrics.' } });
      },
      (error: unknown) => {
        options.log.error({ err: error, path: pathOf(request) }, 'request.failed');
        sendJson(response, { status: 500, body: { error: 'An internal error; it is logged.' } });
      },
    );
  });
  server.maxConnections = maxConnections;
  return { listen: () => listen(server, options.address), close: () => close(server, closeMs) };
}
