import type { Outcome } from '../../integrations/provider.ts';
import { postponedUntil } from '../deliveries/postponed.ts';

/** What one call says of the receiver, however many deliveries it had. */
export type Verdict =
  | { kind: 'nothing' }
  | { kind: 'up' }
  | { kind: 'down' | 'blocked' | 'broken'; reason: string }
  | { kind: 'throttled'; reason: string; until: Date };

/**
 * The gravest of the outcomes speaks for all: broken, blocked, throttled. A receiver that took or refused any delivery
 * is up; one that failed all is down. No outcome at all, of a call that was given up, says nothing.
 */
export function verdictOn(outcomes: readonly Outcome[], now: Date): Verdict {
  let verdict: Verdict = { kind: 'nothing' };
  for (const outcome of outcomes) {
    const next = verdictOnOne(outcome, now);
    if (gravity[next.kind] > gravity[verdict.kind]) verdict = next;
  }
  return verdict;
}

const gravity = { nothing: 0, down: 1, up: 2, throttled: 3, blocked: 4, broken: 5 } as const;

function verdictOnOne(outcome: Outcome, now: Date): Verdict {
  switch (outcome.status) {
    case 'delivered':
    case 'rejected':
      return { kind: 'up' };
    case 'retry':
      return { kind: 'down', reason: outcome.reason };
    case 'throttled':
      return { kind: 'throttled', reason: outcome.reason, until: postponedUntil(outcome, now) };
    case 'deferred':
    case 'skipped':
      return { kind: 'nothing' };
    case 'blocked':
    case 'broken':
      return { kind: outcome.status, reason: outcome.reason };
  }
}
