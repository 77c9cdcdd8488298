import type { Pool } from 'pg';
import { isDatabaseTrouble } from '../database-trouble.ts';
import type { Log } from '../log.ts';
import { pause, repeat, type Runnable } from '../run.ts';
import type { Prune } from './prune.ts';

export interface PrunerOptions {
  pool: Pool;
  prunes: readonly Prune[];
  log: Log;
  /** So many rows of a table have gone, page by page. */
  onPruned?: ((facts: { table: string; count: number }) => void) | undefined;
  /** Whatever was due has come to its end. */
  onPrunedAll?: (() => void) | undefined;
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
export function createPruner({ pool, prunes, log, onPruned, onPrunedAll }: PrunerOptions): Pruner {
  const dueAt = new Map<Prune, number>();

  const prune = async (one: Prune, signal: AbortSignal): Promise<void> => {
    const { table, column } = one;
    let count = 0;
    for (let after: string | null = ''; after !== null && !signal.aborted; ) {
      const begunAt = performance.now();
      const page = await one.page(pool, after);
      count += page.count;
      if (page.count > 0) onPruned?.({ table, count: page.count });
      after = page.next;
      if (after !== null) await pause(Math.max(leastPauseMs, performance.now() - begunAt), signal);
    }
    if (count > 0) log[one.everyMs < notableMs ? 'debug' : 'info']({ table, column, count }, 'rows.pruned');
  };

  /** One that fails is tried again at the next round. `away`: the others cannot be expected to succeed either. */
  const tryTo = async (one: Prune, signal: AbortSignal): Promise<'done' | 'failed' | 'away'> => {
    try {
      await prune(one, signal);
      dueAt.set(one, performance.now() + one.everyMs);
      return 'done';
    } catch (error) {
      log.warn({ table: one.table, err: error }, 'rows.prune_failed');
      return isDatabaseTrouble(error) ? 'away' : 'failed';
    }
  };

  const round = async (signal: AbortSignal): Promise<void> => {
    let isAllDone = true;
    for (const one of prunes) {
      if (signal.aborted) return;
      const isDue = performance.now() >= (dueAt.get(one) ?? 0);
      const came = isDue ? await tryTo(one, signal) : 'done';
      if (came === 'away') return;
      if (came === 'failed') isAllDone = false;
    }
    if (isAllDone && !signal.aborted) onPrunedAll?.();
  };

  return {
    name: 'pruner',
    round,
    run: (signal) => repeat({ step: () => round(signal), everyMs, onError: (error) => log.warn({ err: error }, 'rows.prune_failed'), signal }),
  };
}
