import type { IncomingMessage, ServerResponse } from 'node:http';
import type { CallbackRequest } from '../../integrations/provider.ts';
import { isDatabaseTrouble } from '../database-trouble.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { networkOf } from '../rate-limits/network-of.ts';
import { sendJson, type Answer } from './http-answer.ts';
import type { ApiLimits } from './limits.ts';
import { isFormBody, isJsonBody } from './media-type.ts';
import { createBodyReader } from './read-body.ts';
import { answerTo, problem, refuseBody, Refused, requirePost, unavailable, unread } from './refused.ts';

/** Hands a request to the provider of an integration; answers its status, 404 where there is none that takes it. `url`: path and query. */
export type AnswerCallback = (integrationId: string, request: CallbackRequest, signal: AbortSignal) => Promise<number>;

export interface CallbackEndpointDeps {
  answer: AnswerCallback;
  callers: Pick<CallerLimits, 'countRequest'>;
  limits: ApiLimits;
  addressOf: (request: IncomingMessage) => string;
}

export const callbacksPath = '/callbacks/';

/**
 * `/callbacks/<integration>`, where outside services call back. Anybody can: who it was is for the provider to find out.
 * The answer has a status and no body.
 */
export function createCallbackEndpoint(deps: CallbackEndpointDeps): (request: IncomingMessage, response: ServerResponse) => Promise<void> {
  const { answer, callers, limits, addressOf } = deps;
  const bodies = createBodyReader({ ...limits, bodyBytes: limits.callbackBytes });

  const readBody = async (request: IncomingMessage): Promise<string | undefined> => {
    const address = addressOf(request);
    await callers.countRequest({ viewer: undefined, address });
    requirePost(request);
    const type = request.headers['content-type'];
    if (!isFormBody(type) && !isJsonBody(type)) throw unread(415, 'The body must be application/x-www-form-urlencoded or application/json.', 'UNSUPPORTED_MEDIA_TYPE');
    const body = await bodies.read(request, networkOf(address));
    return 'refused' in body ? refuseBody(body.refused, limits.callbackBytes) : body.text;
  };

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readBody(request);
    if (body === undefined) return;
    const { method = '', url = '', headers } = request;
    const signal = AbortSignal.timeout(limits.callbackMs);
    const status = await Promise.race([answer(integrationIn(url), { method, url, headers, body }, signal), tooLate(signal)]);
    response.writeHead(status, { 'content-length': 0 }).end();
  };

  return (request, response) => serve(request, response).catch((error: unknown) => sendJson(response, answerToFailure(error)));
}

const integrationIn = (url: string): string => /^\/callbacks\/([^/?]*)(?:$|\?)/.exec(url)?.[1] ?? '';

/** The service calls again later. */
const answerToFailure = (error: unknown): Answer =>
  isDatabaseTrouble(error) ? unavailable('DATABASE_UNAVAILABLE', 'The database cannot be reached; try again.', 5_000) : answerTo(error);

const tooLate = (signal: AbortSignal): Promise<never> =>
  new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Refused(problem(503, 'It took too long; try again.', 'TIMED_OUT'))), { once: true });
  });
