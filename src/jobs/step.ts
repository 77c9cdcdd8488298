import type { CallContext, Provider, Settled } from '../../integrations/provider.ts';
import { backoffMs } from '../deliveries/backoff.ts';
import { postponedUntil } from '../deliveries/postponed.ts';
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
export function settlementOf(end: StepEnd, facts: { attempts: number; scheduleMs: readonly number[]; now: Date; random: number }): Settlement {
  const { attempts, scheduleMs, now, random } = facts;
  switch (end.status) {
    case 'done':
      return { status: 'done' };
    case 'more':
      return { status: 'waits', until: later(now, end.afterMs), attempts: 0, reason: end.reason ?? null };
    case 'throttled':
    case 'blocked':
      return { status: 'waits', until: postponedUntil(end, now), attempts, reason: end.reason };
    case 'broken':
      return { status: 'failed', reason: end.reason };
    case 'retry': {
      const failures = attempts + 1;
      const waitMs = backoffMs({ failures, scheduleMs, random, askedMs: end.afterMs });
      if (waitMs === undefined) return { status: 'failed', reason: `Given up after ${failures} attempts. ${end.reason}` };
      return { status: 'waits', until: later(now, waitMs), attempts: failures, reason: end.reason };
    }
  }
}

const later = (now: Date, ms: number): Date => new Date(now.getTime() + ms);
