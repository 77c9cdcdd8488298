import type { Pool } from 'pg';
import { isDatabaseTrouble } from '../database-trouble.ts';
import type { Log } from '../log.ts';
import { pause, repeat, type Runnable } from '../run.ts';
import type { Prune } from './prune.ts';

export interface PrunerOptions {
  pool: Pool;
  prunes: readonly Prune[];
  log: Log;
}

export interface Pruner extends Runnable {
  /** Does each prune whose time has come, to its end, or until `signal` aborts. */
  round(signal: AbortSignal): Promise<void>;
}

const everyMs = 60_000;
const leastPauseMs = 20;
/** What is looked for less often is worth a line in the log. */
const notableMs = 3_600_000;

/**
 * Forgets what is needed no longer, a page at a time over one connection, and rests after each page for as long as it
 * took: so it takes half of what one connection can at most, and less where the database is busy. Several processes at
 * it do no harm.
 */
export function createPruner({ pool, prunes, log }: PrunerOptions): Pruner {
  const dueAt = new Map<Prune, number>();

  const prune = async (one: Prune, signal: AbortSignal): Promise<void> => {
    const { table, column } = one;
    let count = 0;
    for (let after: string | null = ''; after !== null && !signal.aborted; ) {
      const begunAt = performance.now();
      const page = await one.page(pool, after);
      count += page.count;
      after = page.next;
      if (after !== null) await pause(Math.max(leastPauseMs, performance.now() - begunAt), signal);
    }
    if (count > 0) log[one.everyMs < notableMs ? 'debug' : 'info']({ table, column, count }, 'rows.pruned');
  };

  /** One that fails is tried again at the next round. Answers whether the others can be expected to succeed. */
  const tryTo = async (one: Prune, signal: AbortSignal): Promise<boolean> => {
    try {
      await prune(one, signal);
      dueAt.set(one, performance.now() + one.everyMs);
      return true;
    } catch (error) {
      log.warn({ table: one.table, err: error }, 'rows.prune_failed');
      return !isDatabaseTrouble(error);
    }
  };

  const round = async (signal: AbortSignal): Promise<void> => {
    for (const one of prunes) {
      if (signal.aborted) return;
      const isDue = performance.now() >= (dueAt.get(one) ?? 0);
      if (isDue && !(await tryTo(one, signal))) return;
    }
  };

  return {
    name: 'pruner',
    round,
    run: (signal) => repeat({ step: () => round(signal), everyMs, onError: (error) => log.warn({ err: error }, 'rows.prune_failed'), signal }),
  };
}
