/** Shares of the wait that jitter adds or takes away at most. */
const jitterShare = 0.2;

/** A receiver that asks for a wait gets it, within these. */
const retryAfterMs = { least: 1_000, most: 24 * 3_600_000 };

/**
 * How long to wait after the `failures`-th failed attempt (from 1), or undefined when the schedule is used up.
 *
 * With the schedule 5 s, 5 min, 30 min: after the first failure 4 to 6 s, after the second 4 to 6 min, after the third
 * 24 to 36 min, after the fourth nothing more. `random` is in [0, 1). A `Retry-After` of the receiver replaces the
 * wait where it is longer than the schedule's, but never adds an attempt.
 */
export function backoffMs(options: { failures: number; scheduleMs: readonly number[]; random: number; askedMs?: number | undefined }): number | undefined {
  const { failures, scheduleMs, random, askedMs } = options;
  const base = scheduleMs[failures - 1];
  if (base === undefined) return undefined;
  const wait = Math.round(base * (1 - jitterShare + 2 * jitterShare * random));
  if (askedMs === undefined) return wait;
  return Math.max(wait, Math.min(Math.max(askedMs, retryAfterMs.least), retryAfterMs.most));
}
