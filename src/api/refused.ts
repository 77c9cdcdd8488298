import { UnavailableError, type UnavailableCode } from '../user-error.ts';
import { retryAfter, type Answer } from './http-answer.ts';
import { limits } from './limits.ts';
import type { Refusal } from './read-body.ts';
import { requestError } from './request-error.ts';

/** A request that ends before it is served, with what to answer. */
export class Refused extends Error {
  readonly answer: Answer;

  constructor(answer: Answer) {
    super();
    this.answer = answer;
  }
}

export const problem = (status: number, message: string, code = 'BAD_REQUEST'): Answer => ({ status, body: { errors: [requestError(code, message)] } });

/** For a body that was not read to its end: the connection cannot be used for another request. */
export const unread = (status: number, message: string, code: string): Refused => new Refused({ ...problem(status, message, code), isEarly: true });

/** Throws Refused for a body that was not taken; answers undefined where the client has gone away. */
export function refuseBody(refusal: Refusal, maxBytes: number): undefined {
  switch (refusal) {
    case 'too large':
      throw unread(limits.bodyBytes.status, `The body must have at most ${maxBytes} bytes.`, limits.bodyBytes.code);
    case 'too slow':
      throw unread(limits.bodyQuietMs.status, 'The body came too slowly.', limits.bodyQuietMs.code);
    case 'overloaded':
      throw new Refused(unavailable('OVERLOADED', 'Too many requests are being read; try again.', 1_000));
    case 'not utf-8':
      throw new Refused(problem(400, 'The body is not valid UTF-8.'));
    case 'aborted':
      return undefined;
  }
}

/** Throws Refused for what is not posted, or is compressed. */
export function requirePost({ method, headers }: { method?: string | undefined; headers: Record<string, string | string[] | undefined> }): void {
  if (method !== 'POST') throw new Refused({ ...problem(405, 'Use POST.', 'METHOD_NOT_ALLOWED'), headers: { allow: 'POST' } });
  if (headers['content-encoding'] !== undefined) throw unread(415, 'The body must not be compressed.', 'UNSUPPORTED_MEDIA_TYPE');
}

/** There is no place for another request. */
export const overloaded = (): UnavailableError => new UnavailableError('OVERLOADED', 'Too many requests are under way; try again.', 1_000);

/** What a request that failed is answered, where that is known; rethrows everything else. */
export function answerTo(error: unknown): Answer {
  if (error instanceof Refused) return error.answer;
  if (error instanceof UnavailableError) return unavailable(error.code, error.message, error.retryAfterMs);
  throw error;
}

/** The answer to a request that is refused before it is looked at. */
export function unavailable(code: UnavailableCode, message: string, retryAfterMs: number): Answer {
  const error = { message, extensions: { code, retryAfterMs } };
  const isLimited = code === 'RATE_LIMITED' || code === 'TOO_MANY_SUBSCRIPTIONS';
  return { status: isLimited ? 429 : 503, body: { errors: [error] }, headers: { ...retryAfter(retryAfterMs), ...(!isLimited && { connection: 'close' }) } };
}
