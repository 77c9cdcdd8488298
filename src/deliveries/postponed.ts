import type { Outcome } from '../../integrations/provider.ts';

/** An outcome that says nothing of the delivery itself: it waits as if it had not been tried. */
export type Postponed = Extract<Outcome, { status: 'throttled' | 'blocked' | 'deferred' }>;

export const isPostponed = (outcome: Outcome): outcome is Postponed => outcome.status === 'throttled' || outcome.status === 'blocked' || outcome.status === 'deferred';

const throttledMs = { default: 60_000, most: 3_600_000 };
const mostDeferredMs = 86_400_000;
const probeMs = 60_000;

/** When what was postponed is due again: throttled, as soon as the service says; blocked, for the next probe; deferred, when it asks. */
export function postponedUntil(outcome: Postponed, now: Date): Date {
  return new Date(now.getTime() + postponedMs(outcome));
}

/** The same as a wait. */
export function postponedMs(outcome: Postponed): number {
  switch (outcome.status) {
    case 'throttled':
      return Math.min(outcome.afterMs ?? throttledMs.default, throttledMs.most);
    case 'deferred':
      return Math.min(outcome.afterMs, mostDeferredMs);
    case 'blocked':
      return probeMs;
  }
}
