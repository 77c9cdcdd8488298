import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Context } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { networkOf } from '../rate-limits/network-of.ts';
import { retryAfter, sendJson, sendPreflight, type Answer } from './http-answer.ts';
import { limits } from './limits.ts';
import { acceptsEvents, acceptsStream, answerType, isJsonBody, type AnswerType } from './media-type.ts';
import type { LiveEndpoint } from './live-endpoint.ts';
import type { OperationRunner } from './operation.ts';
import type { Prepare } from './prepare.ts';
import type { BodyReader } from './read-body.ts';
import { answerTo, problem, refuseBody, Refused, requirePost, unread } from './refused.ts';
import { requestError } from './request-error.ts';
import { readBody, type ReadParams } from './request-params.ts';
import type { StreamEndpoint } from './stream-endpoint.ts';
import { expiryOf, type Identify } from './viewer.ts';

export interface GraphqlEndpointDeps {
  identify: Identify;
  bodies: BodyReader;
  callers: Pick<CallerLimits, 'countRequest'>;
  prepare: Prepare;
  operations: OperationRunner;
  streams: StreamEndpoint;
  live: LiveEndpoint;
  /** Told of an answer that goes on: it is no request under way any more. */
  streaming: (response: ServerResponse) => void;
  addressOf: (request: IncomingMessage) => string;
  createContext: (viewer: Viewer | undefined, address: string) => Context;
}

/**
 * `/graphql`. Source: GraphQL over HTTP. Requests for one JSON answer are served here, those for a stream of results
 * by Yoga; both by the same rules up to the point where the operation runs.
 */
export function createGraphqlEndpoint(deps: GraphqlEndpointDeps): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { identify, bodies, callers, prepare, operations, streams, live, streaming, addressOf, createContext } = deps;

  /** Who asks, once their calls are counted: a stranger's before the body is read, and with a token that is refused as a stranger's. */
  const admit = async (authorization: string | undefined, address: string): Promise<Viewer | undefined> => {
    const identity = await identify(authorization);
    const viewer = typeof identity === 'string' ? undefined : identity;
    await callers.countRequest({ viewer, address });
    if (identity === 'refused') throw new Refused(unauthenticated);
    return viewer;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse, contentType: AnswerType | undefined): Promise<void> => {
    const { accept, authorization } = request.headers;
    const address = addressOf(request);
    if (authorization === undefined) await callers.countRequest({ viewer: undefined, address });
    const params = await readPost(request, { bodies, address });
    if (!params) return undefined;
    const viewer = authorization === undefined ? undefined : await admit(authorization, address);

    const prepared = prepare(params, viewer);
    if ('ready' in prepared && prepared.ready.calls > 1) await callers.countRequest({ viewer, address }, prepared.ready.calls - 1);
    const isSubscription = 'ready' in prepared && prepared.ready.operation.operation === 'subscription';
    if (isSubscription && acceptsEvents(accept)) {
      const onStreaming = (): void => streaming(response);
      return live.serve({ request, response, ready: prepared.ready, viewer, until: expiryOf(authorization), address, onStreaming });
    }
    if (acceptsStream(accept) && !isSubscription) return streams.serve({ request, response, prepared, createContext: () => createContext(viewer, address) });
    if (!contentType) throw new Refused(problem(406, 'The answer is application/json or application/graphql-response+json.'));

    const whenGone = (listener: () => void): void => void response.once('close', listener);
    const { result, status, retryAfterMs } = await operations.run(prepared, { createContext: () => createContext(viewer, address), whenGone });
    return sendJson(response, {
      status: status ?? (result.data === undefined ? requestErrorStatus(contentType) : 200),
      body: result,
      contentType,
      ...(retryAfterMs && { headers: retryAfter(retryAfterMs) }),
    });
  };

  return async (request, response) => {
    if (request.method === 'OPTIONS') return sendPreflight(response);
    const contentType = answerType(request.headers.accept);
    try {
      return await serve(request, response, contentType);
    } catch (error) {
      const answer = answerTo(error);
      return sendJson(response, error instanceof Refused ? { ...answer, contentType: contentType ?? 'application/json' } : answer);
    }
  };
}

/** Under `application/json`, old clients take another status for a broken connection and never look at the errors. */
const requestErrorStatus = (contentType: AnswerType): number => (contentType === 'application/json' ? 200 : 400);

type Params = Extract<ReadParams, { params: unknown }>['params'];

/** Undefined where the client has gone away. Throws Refused. */
async function readPost(request: IncomingMessage, { bodies, address }: { bodies: BodyReader; address: string }): Promise<Params | undefined> {
  requirePost(request);
  if (!isJsonBody(request.headers['content-type'])) throw unread(415, 'The body must be "content-type: application/json", in UTF-8.', 'UNSUPPORTED_MEDIA_TYPE');
  const body = await bodies.read(request, networkOf(address));
  if ('refused' in body) return refuseBody(body.refused, limits.bodyBytes.value);
  const read = readBody(body.text);
  if ('params' in read) return read.params;
  throw new Refused(problem(400, read.problem, read.code));
}

const unauthenticated: Answer = {
  status: 401,
  body: { errors: [requestError('UNAUTHENTICATED', 'The token or API key is not valid, or not any more: log in again, or send another key.')] },
  headers: { 'www-authenticate': 'Bearer' },
};
