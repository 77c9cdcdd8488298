import type { Outcome } from '../provider.ts';
import { troubleOf } from './troubles.ts';
import type { Refusal, Unanswered } from './twilio-client.ts';

/** How long a message waits for its number to be allowed: it is asked again every hour, and after this no more. */
const numberWaits = { everyMs: 3_600_000, mostMs: 72 * 3_600_000 } as const;

/**
 * What a refusal means for a delivery. What is about one number holds up this delivery alone: if it stopped the
 * integration, whoever gives a number abroad could stop everybody's receipts. `ageMs`: of the response.
 */
export function outcomeOfRefusal(refusal: Refusal, ageMs: number): Outcome {
  const { httpStatus, afterMs } = refusal;
  const { class: kind, words: reason } = troubleOf(refusal);
  switch (kind) {
    case 'permanent':
      return { status: 'rejected', error: 'REFUSED', reason, httpStatus };
    case 'number':
      return ageMs < numberWaits.mostMs
        ? { status: 'deferred', reason, afterMs: numberWaits.everyMs, httpStatus }
        : { status: 'rejected', error: 'REFUSED', reason, httpStatus };
    case 'account':
      return { status: 'blocked', reason, httpStatus };
    case 'passing':
      return { status: 'throttled', reason, httpStatus, ...(afterMs !== undefined && { afterMs }) };
  }
}

/**
 * What it means that a message may or may not have been taken: another attempt, which first looks for it. It counts as
 * one, so that a service that fails all the time opens the breaker before more messages become unknown.
 */
export function outcomeOfUnknown({ error, message, httpStatus }: Unanswered): Outcome {
  const reason = `${message} Nobody knows yet whether the message was taken.`;
  return { status: 'retry', error, reason, ...(httpStatus !== undefined && { httpStatus }) };
}

/** What it means that nothing was sent. */
export function outcomeOfUnsent({ error, message }: Unanswered): Outcome {
  return error === 'ADDRESS_REFUSED' ? { status: 'blocked', reason: message } : { status: 'retry', error, reason: message };
}

/** What a refused look at Twilio's list means for the delivery that it was to settle: that waits, whatever it is. */
export function outcomeOfSearch(refusal: Refusal): Outcome {
  const { httpStatus, afterMs } = refusal;
  const { class: kind, words } = troubleOf(refusal);
  const reason = `It cannot be asked whether Twilio took the message. ${words}`;
  if (kind !== 'passing') return { status: 'blocked', reason, httpStatus };
  return { status: 'throttled', reason, httpStatus, ...(afterMs !== undefined && { afterMs }) };
}
