import type { Outcome } from '../../integrations/provider.ts';
import { backoffMs } from '../deliveries/backoff.ts';
import type { Postponed } from '../deliveries/postponed.ts';

/** An outcome of an attempt that counts as one. */
export type CountedOutcome = Exclude<Outcome, Postponed | { status: 'skipped' }>;

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
