import type { ServerResponse } from 'node:http';

export interface Answer {
  status: number;
  body: unknown;
  contentType?: string;
  headers?: Record<string, string>;
  /** Whether the request's body is still on its way, and not to be waited for: the connection ends with this answer. */
  isEarly?: boolean;
}

/** Any page may call the API: what a call may do hangs on the token it sends, never on a cookie. */
export const crossOrigin = { 'access-control-allow-origin': '*', 'access-control-expose-headers': 'retry-after, x-request-id' };

const preflight = {
  ...crossOrigin,
  'access-control-allow-methods': 'POST',
  'access-control-allow-headers': 'authorization, content-type, last-event-id, traceparent, tracestate',
  'access-control-max-age': '86400',
};

/** Sends one answer as JSON. Does nothing where the client is gone, or an answer was sent already. */
export function sendJson(response: ServerResponse, { status, body, contentType = 'application/json', headers, isEarly }: Answer): void {
  if (response.headersSent || response.destroyed) return;
  const text = JSON.stringify(body);
  response.writeHead(status, {
    ...crossOrigin,
    'content-type': `${contentType}; charset=utf-8`,
    'content-length': Buffer.byteLength(text),
    ...headers,
    ...(isEarly && { connection: 'close' }),
  });
  if (isEarly) endEarly(response, text);
  else response.end(text);
}

/** Enough for the answer to get to a client that is far away. */
const lingerMs = 2_000;

/**
 * Ends an answer while the body still comes, of which what comes for a while is thrown away: to bytes for a closed
 * connection the system answers with a reset, and that takes the answer from a client that has not read it yet.
 * Source: RFC 9112, 9.6.
 */
function endEarly(response: ServerResponse, text: string): void {
  const { req: request, socket } = response;
  response.write(text);
  socket?.end();
  const end = (): void => {
    clearTimeout(lingering);
    response.end(); // closes the connection, once the answer is out
  };
  const lingering = setTimeout(end, lingerMs).unref();
  request.once('end', end).once('close', end).resume();
}

/** Answers a browser's question whether a page may send a request. */
export function sendPreflight(response: ServerResponse): void {
  response.writeHead(204, preflight).end();
}

/** Whole seconds, as the header `Retry-After` wants them. */
export const retryAfter = (ms: number): Record<string, string> => ({ 'retry-after': String(Math.max(1, Math.ceil(ms / 1_000))) });
