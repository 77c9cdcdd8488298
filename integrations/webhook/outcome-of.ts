import { STATUS_CODES } from 'node:http';
import type { Evidence, HttpReply, Outcome } from '../provider.ts';
import { retryAfterMs } from '../retry-after.ts';

type Response = Extract<HttpReply, { kind: 'response' }>;

/**
 * Tells what a reply means for a delivery. Every answer but 2xx is a failure that may be mended, a 404 or a 400 as much
 * as a 500: receivers are deployed wrongly and put right again, and the schedule of attempts ends by itself. Only 410
 * says that the endpoint will not come back, and a refused address can be changed by its owner alone; one that this
 * process alone may not reach waits for another, or for its setting.
 * Source: Standard Webhooks 1.0, "Operational considerations".
 */
export function outcomeOf(reply: HttpReply, now: Date): Outcome {
  if (reply.kind === 'response') return outcomeOfResponse(reply, now);
  const { error, message, isOurSetting } = reply;
  if (isOurSetting) return { status: 'blocked', reason: message };
  return { status: error === 'ADDRESS_REFUSED' ? 'broken' : 'retry', error, reason: message };
}

function outcomeOfResponse(response: Response, now: Date): Outcome {
  const { status } = response;
  const evidence = evidenceOf(response);
  if (status >= 200 && status < 300) return { status: 'delivered', ...evidence };
  const answer = `The endpoint answered ${status} ${STATUS_CODES[status] ?? ''}`.trimEnd();
  const failed = { error: 'HTTP_STATUS', ...evidence } as const;
  if (status === 410) return { status: 'broken', ...failed, reason: `${answer}.` };
  if (status >= 300 && status < 400) {
    return { status: 'retry', ...failed, reason: `${answer}; redirects are not followed. Set the URL it leads to.` };
  }
  const afterMs = status === 429 || status === 503 ? retryAfterMs(response.headers['retry-after'], now) : undefined;
  return { status: 'retry', ...failed, reason: `${answer}.`, ...(afterMs === undefined ? {} : { afterMs }) };
}

function evidenceOf({ status, body }: Response): Evidence {
  return body === '' ? { httpStatus: status } : { httpStatus: status, responseBody: body };
}
