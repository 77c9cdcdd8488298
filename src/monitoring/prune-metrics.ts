import { performance } from 'node:perf_hooks';
import { Counter, type Registry } from 'prom-client';
import { registerGauge } from './gauge.ts';

/** What forgetting tells while it is at it. Called on it: they only count. */
export interface PruneHooks {
  /** Rows of a table have gone, or what of them goes. */
  onPruned(facts: { table: string; count: number }): void;
  /** Nothing that was due to go is left. */
  onPrunedAll(): void;
}

/**
 * Of a process that prunes; `tables` are those it does. The age begins with the process, and grows while a prune fails
 * or has not come to its end: where there is nothing to forget, a round takes no time and is done each minute.
 */
export function createPruneMetrics(registry: Registry, tables: readonly string[]): PruneHooks {
  const rows = new Counter({ registers: [registry], name: 'formwire_pruned_rows_total', help: 'Rows that were needed no longer and have gone, by table; of integrations those whose ended secrets have.', labelNames: ['table'] });
  for (const table of tables) rows.inc({ table }, 0);
  let prunedAllAt = performance.now();
  const age = { name: 'formwire_prune_age_seconds', help: 'How long ago this process came round with forgetting what is needed no longer.' };
  registerGauge(registry, age, (gauge) => gauge.set((performance.now() - prunedAllAt) / 1_000));
  return {
    onPruned: ({ table, count }) => rows.inc({ table }, count),
    onPrunedAll: () => {
      prunedAllAt = performance.now();
    },
  };
}
