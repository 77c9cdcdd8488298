import type { CallContext, Provider, Settled } from '../../integrations/provider.ts';
import { backoffMs } from '../deliveries/backoff.ts';
import { postponedMs } from '../deliveries/postponed.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { ClaimedJob, Settlement } from './claim-jobs.ts';

/** What a step is about, and what it may use. */
export interface Step {
  job: ClaimedJob;
  integration: EnabledIntegration;
  provider: Provider;
  context: CallContext<unknown>;
}

/** How a step ended: the job is done, goes on with another step, or is held up as an outcome says. */
export type StepEnd = Settled | { status: 'more'; afterMs: number; reason?: string };

/**
 * What becomes of a job after a step. retry: waits by the schedule, and is given up when that is used up; throttled and
 * blocked wait and count for nothing; broken is given up at once: only the integration's owner can mend it, and doing
 * so asks for the job again.
 */
export function settlementOf(end: StepEnd, facts: { attempts: number; scheduleMs: readonly number[]; random: number }): Settlement {
  const { attempts, scheduleMs, random } = facts;
  switch (end.status) {
    case 'done':
      return { status: 'done' };
    case 'more':
      return { status: 'waits', waitMs: end.afterMs, attempts: 0, reason: end.reason ?? null };
    case 'throttled':
    case 'blocked':
      return { status: 'waits', waitMs: postponedMs(end), attempts, reason: end.reason };
    case 'broken':
      return { status: 'failed', reason: end.reason };
    case 'retry': {
      const failures = attempts + 1;
      const waitMs = backoffMs({ failures, scheduleMs, random, askedMs: end.afterMs });
      if (waitMs === undefined) return { status: 'failed', reason: `Given up after ${failures} attempts. ${end.reason}` };
      return { status: 'waits', waitMs, attempts: failures, reason: end.reason };
    }
  }
}
