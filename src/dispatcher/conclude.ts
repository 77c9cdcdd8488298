import type { Outcome } from '../../integrations/provider.ts';
import { isPostponed, postponedUntil } from '../deliveries/postponed.ts';
import type { DeliveryState } from '../deliveries/record-outcomes.ts';
import { stateAfter, type Attempted } from './attempt.ts';
import { decide } from './decide.ts';
import { canceled, spilled, type Work } from './work.ts';

/**
 * Where an attempt leaves a delivery. One that was postponed counts as no attempt and waits; one that the provider
 * skipped has ended; every other is delivered, retried by the schedule, or dead.
 */
export function conclude(work: Work, { outcome, attempted, scheduleMs, now, random }: {
  outcome: Outcome;
  attempted: Attempted;
  scheduleMs: readonly number[];
  now: Date;
  /** From 0 to 1. */
  random: number;
}): DeliveryState {
  if (isPostponed(outcome)) return spilled(work, outcome.reason, postponedUntil(outcome, now));
  if (outcome.status === 'skipped') return canceled(work, outcome.reason);
  const decision = decide({ outcome, failures: work.attempts + 1 - work.scheduleStart, scheduleMs, now, random });
  return stateAfter({ work, attempted, outcome, decision });
}
