/**
 * Keeps attempts from a receiver that is down.
 *
 *              failures in a row reach the threshold
 *     ┌────────┐ ───────────────────────────────▶ ┌──────┐   only the oldest delivery is tried,
 *     │ closed │                                  │ open │   when its own retry is due
 *     └────────┘ ◀──────┐            ┌─────────── └──────┘
 *                       │   failure  │      ▲          │ success
 *        limit reaches  │            ▼      │          ▼
 *        the lane's own └──────── ┌─────────┴──────────────┐   the backlog is drained; the limit doubles
 *                                 │ ramping, limit 1, 2, 4 │   after as many successes as it allows at a time
 *                                 └────────────────────────┘
 */
export type Breaker =
  | { state: 'closed'; failuresInRow: number }
  | { state: 'open'; reason: string }
  | { state: 'ramping'; limit: number; successes: number };

export interface BreakerSettings {
  /** Failures in a row that open it. */
  threshold: number;
  /** The concurrency of the lane when all is well. */
  concurrency: number;
}

export const closedBreaker: Breaker = { state: 'closed', failuresInRow: 0 };

/** What an attempt says of the receiver. A delivery that was rejected says that it is up. */
export type Health = { ok: true } | { ok: false; reason: string };

/** The breaker after one more attempt ended. */
export function afterAttempt(breaker: Breaker, health: Health, settings: BreakerSettings): Breaker {
  if (!health.ok) return afterFailure(breaker, health.reason, settings);
  switch (breaker.state) {
    case 'closed':
      return closedBreaker;
    case 'open':
      return { state: 'ramping', limit: 1, successes: 0 };
    case 'ramping': {
      if (breaker.successes + 1 < breaker.limit) return { ...breaker, successes: breaker.successes + 1 };
      const limit = breaker.limit * 2;
      return limit >= settings.concurrency ? closedBreaker : { state: 'ramping', limit, successes: 0 };
    }
  }
}

function afterFailure(breaker: Breaker, reason: string, settings: BreakerSettings): Breaker {
  switch (breaker.state) {
    case 'open':
    case 'ramping':
      return { state: 'open', reason };
    case 'closed': {
      const failuresInRow = breaker.failuresInRow + 1;
      return failuresInRow >= settings.threshold ? { state: 'open', reason } : { state: 'closed', failuresInRow };
    }
  }
}

/** How many attempts may run at a time; while it is open, one: the probe. */
export function allowedConcurrency(breaker: Breaker, settings: BreakerSettings): number {
  switch (breaker.state) {
    case 'closed':
      return settings.concurrency;
    case 'open':
      return 1;
    case 'ramping':
      return Math.min(breaker.limit, settings.concurrency);
  }
}
