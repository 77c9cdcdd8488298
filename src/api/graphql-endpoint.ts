import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UnavailableError, type UnavailableCode } from '../user-error.ts';
import { requestError } from './errors.ts';
import { retryAfter, sendJson, sendPreflight, type Answer } from './http-answer.ts';
import { acceptsStream, answerType, isJsonBody, type AnswerType } from './media-type.ts';
import type { OperationRunner } from './operation.ts';
import type { BodyReader } from './read-body.ts';
import { readBody, readQueryString, type ReadParams } from './request-params.ts';
import type { StreamEndpoint } from './stream-endpoint.ts';
import type { Identify } from './viewer.ts';

export interface GraphqlEndpointDeps {
  identify: Identify;
  bodies: BodyReader;
  operations: OperationRunner;
  streams: StreamEndpoint;
  createContext: (viewer: Viewer | undefined, request: IncomingMessage) => Context;
}

/**
 * `/graphql`. Source: GraphQL over HTTP. Requests for one JSON answer are served here, those for a stream of results
 * by Yoga; both by the same rules up to the point where the operation runs.
 */
export function createGraphqlEndpoint(deps: GraphqlEndpointDeps): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { identify, bodies, operations, streams, createContext } = deps;

  return async (request, response) => {
    if (request.method === 'OPTIONS') return sendPreflight(response);
    const { accept, authorization } = request.headers;
    const contentType = answerType(accept);
    const read = await readRequest(request, bodies);
    if ('aborted' in read) return undefined;
    if ('problem' in read) return sendJson(response, { ...read.problem, contentType: contentType ?? 'application/json' });

    const identity = await identified(identify, authorization);
    if (typeof identity === 'object' && 'problem' in identity) return sendJson(response, identity.problem);
    if (identity === 'refused') return sendJson(response, { ...unauthenticated, contentType: contentType ?? 'application/json' });
    const viewer = identity === 'anonymous' ? undefined : identity;

    const { params } = read;
    if (acceptsStream(accept)) return streams.serve({ request, response, params, createContext: () => createContext(viewer, request) });
    if (!contentType) return sendJson(response, problem(406, 'The answer is application/json or application/graphql-response+json.'));

    const isSafe = request.method === 'GET';
    const outcome = await operations.run(params, { isSafe, createContext: () => createContext(viewer, request) });
    const { result, retryAfterMs } = outcome;
    const status = outcome.status ?? (result.data === undefined ? requestErrorStatus(contentType) : 200);
    return sendJson(response, {
      status,
      body: result,
      contentType,
      headers: { ...(retryAfterMs && retryAfter(retryAfterMs)), ...(status === 405 && { allow: 'POST' }) },
    });
  };
}

async function identified(identify: Identify, authorization: string | undefined): Promise<Awaited<ReturnType<Identify>> | { problem: Answer }> {
  try {
    return await identify(authorization);
  } catch (error) {
    if (error instanceof UnavailableError) return { problem: unavailable(error.code, error.message, error.retryAfterMs) };
    throw error;
  }
}

/** Under `application/json`, old clients take another status for a broken connection and never look at the errors. */
const requestErrorStatus = (contentType: AnswerType): number => (contentType === 'application/json' ? 200 : 400);

type ReadRequest = Exclude<ReadParams, { problem: string }> | { problem: Answer } | { aborted: true };

async function readRequest(request: IncomingMessage, bodies: BodyReader): Promise<ReadRequest> {
  const { method, url = '' } = request;
  if (method === 'POST') return readPost(request, bodies);
  if (method === 'GET') return judged(readQueryString(new URLSearchParams(url.includes('?') ? url.slice(url.indexOf('?')) : '')));
  return { problem: { ...problem(405, 'Use POST.'), headers: { allow: 'GET, POST' } } };
}

async function readPost(request: IncomingMessage, bodies: BodyReader): Promise<ReadRequest> {
  const { headers } = request;
  if (!isJsonBody(headers['content-type'])) return unread(415, 'The body must be "content-type: application/json", in UTF-8.');
  if (headers['content-encoding'] !== undefined) return unread(415, 'The body must not be compressed.');
  const body = await bodies.read(request);
  if ('text' in body) return judged(readBody(body.text));
  switch (body.refused) {
    case 'too large':
      return unread(413, 'The body is too large.');
    case 'overloaded':
      return { problem: unavailable('OVERLOADED', 'Too many requests are being read; try again.', 1_000) };
    case 'not utf-8':
      return { problem: problem(400, 'The body is not valid UTF-8.') };
    case 'aborted':
      return { aborted: true };
  }
}

const judged = (read: ReadParams): ReadRequest => ('params' in read ? read : { problem: problem(400, read.problem) });

const problem = (status: number, message: string): Answer => ({ status, body: { errors: [requestError('BAD_REQUEST', message)] } });

/** For a body that was not read to its end: the connection cannot be used for another request. */
const unread = (status: number, message: string): ReadRequest => ({ problem: { ...problem(status, message), headers: { connection: 'close' } } });

const unauthenticated: Answer = {
  status: 401,
  body: { errors: [requestError('UNAUTHENTICATED', 'The token is not valid, or has expired; log in again.')] },
  headers: { 'www-authenticate': 'Bearer' },
};

/** The answer to a request that is refused before it is looked at. */
export function unavailable(code: UnavailableCode, message: string, retryAfterMs: number): Answer {
  const error = { message, extensions: { code, retryAfterMs } };
  return { status: 503, body: { errors: [error] }, headers: { ...retryAfter(retryAfterMs), connection: 'close' } };
}
