import type { Outcome } from '../../integrations/provider.ts';
import { backoffMs } from './backoff.ts';

/** An outcome that says nothing of the delivery itself: it waits as if it had not been tried. */
export type Postponed = Extract<Outcome, { status: 'throttled' | 'blocked' | 'deferred' }>;
/** An outcome of an attempt that counts as one. */
export type CountedOutcome = Exclude<Outcome, Postponed | { status: 'skipped' }>;

export const isPostponed = (outcome: Outcome): outcome is Postponed => outcome.status === 'throttled' || outcome.status === 'blocked' || outcome.status === 'deferred';

/** What becomes of a delivery after an attempt. */
export type Decision =
  | { status: 'delivered' }
  | { status: 'pending'; reason: string; nextAttemptAt: Date }
  | { status: 'dead'; reason: string };

export interface DecisionFacts {
  outcome: CountedOutcome;
  /** Failed attempts since the schedule began, this one included. */
  failures: number;
  scheduleMs: readonly number[];
  now: Date;
  random: number;
}

/**
 * delivered → delivered. rejected → dead at once. retry → pending until the schedule is used up, then dead.
 * broken → pending whatever the schedule says: it waits for the integration's owner, who must not lose it.
 */
export function decide(facts: DecisionFacts): Decision {
  const { outcome, failures, scheduleMs, now, random } = facts;
  switch (outcome.status) {
    case 'delivered':
      return { status: 'delivered' };
    case 'rejected':
      return { status: 'dead', reason: outcome.reason };
    case 'broken':
      return { status: 'pending', reason: outcome.reason, nextAttemptAt: now };
    case 'retry': {
      const waitMs = backoffMs({ failures, scheduleMs, random, askedMs: outcome.afterMs });
      if (waitMs === undefined) return { status: 'dead', reason: `Given up after ${failures} attempts. ${outcome.reason}` };
      return { status: 'pending', reason: outcome.reason, nextAttemptAt: new Date(now.getTime() + waitMs) };
    }
  }
}

const throttledMs = { default: 60_000, most: 3_600_000 };
const mostDeferredMs = 86_400_000;
const probeMs = 60_000;

/** When what was postponed is due again: throttled, as soon as the service says; blocked, for the next probe; deferred, when it asks. */
export function postponedUntil(outcome: Postponed, now: Date): Date {
  return new Date(now.getTime() + postponedMs(outcome));
}

function postponedMs(outcome: Postponed): number {
  switch (outcome.status) {
    case 'throttled':
      return Math.min(outcome.afterMs ?? throttledMs.default, throttledMs.most);
    case 'deferred':
      return Math.min(outcome.afterMs, mostDeferredMs);
    case 'blocked':
      return probeMs;
  }
}
