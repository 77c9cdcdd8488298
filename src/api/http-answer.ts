import type { ServerResponse } from 'node:http';

export interface Answer {
  status: number;
  body: unknown;
  contentType?: string;
  headers?: Record<string, string>;
}

/** Any page may call the API: what a call may do hangs on the token it sends, never on a cookie. */
const crossOrigin = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after' };

const preflight = {
  ...crossOrigin,
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'authorization, content-type',
  'access-control-max-age': '86400',
};

/** Sends one answer as JSON. Does nothing where the client is gone, or an answer was sent already. */
export function sendJson(response: ServerResponse, { status, body, contentType = 'application/json', headers }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...crossOrigin,
    'content-type': `${contentType}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
    ...headers,
  });
  response.end(text);
}

/** Answers a browser's question whether a page may send a request. */
export function sendPreflight(response: ServerResponse): void {
  response.writeHead(204, preflight).end();
}

/** Whole seconds, as the header `Retry-After` wants them. */
export const retryAfter = (ms: number): Record<string, string> => ({ 'retry-after': String(Math.max(1, Math.ceil(ms / 1_000))) });
