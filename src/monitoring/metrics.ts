import type { Pool } from 'pg';
import { Registry } from 'prom-client';
import { providers } from '../../integrations/index.ts';
import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { prunesOf } from '../retention/prunes.ts';
import type { Runnable } from '../run.ts';
import { createCertificateWatch } from './certificate.ts';
import { createFlowMetrics, type FlowHooks } from './flow-metrics.ts';
import { createPruneMetrics, type PruneHooks } from './prune-metrics.ts';
import { registerProcessMetrics } from './process-metrics.ts';
import { registerStateMetrics, type StateSources } from './state-metrics.ts';
import { createStoredMetrics } from './stored-metrics.ts';
import { readStoredState } from './stored-state.ts';

/** What a process can be asked for. */
export interface Metrics {
  /** To be called by the parts of the way of a response, and by what forgets. */
  hooks: FlowHooks & PruneHooks;
  /** In the text format of Prometheus. */
  render(): Promise<{ contentType: string; text: string }>;
  /** Looks from now on at what the process is at; answers what runs until it stops. Called once. */
  watch(sources: StateSources & { pool: Pool }): Runnable[];
}

const prunedTables = [...new Set(prunesOf({ attemptMs: 0, endedMs: 0 }).map(({ table }) => table))];
const nobodyPrunes: PruneHooks = { onPruned: () => undefined, onPrunedAll: () => undefined };
const storedEveryMs = 15_000;
const certificateEveryMs = 3_600_000;

/** A registry of this process's own: nothing is global, and two of them in one process do not meet. */
export function createMetrics({ config, log }: { config: Config; log: Log }): Metrics {
  const registry = new Registry();
  const roles = config.FORMWIRE_ROLES;
  registerProcessMetrics(registry, { roles, dataDir: config.FORMWIRE_DATA });
  const flow = createFlowMetrics(registry, providers.filter((provider) => 'deliver' in provider).map(({ name }) => name));
  const pruning = roles.includes('relay') ? createPruneMetrics(registry, prunedTables) : nobodyPrunes;
  return {
    hooks: { ...flow, ...pruning },
    render: async () => ({ contentType: registry.contentType, text: await registry.metrics() }),
    watch: ({ pool, ...sources }) => {
      registerStateMetrics(registry, sources);
      const stored = { read: () => readStoredState(pool), everyMs: storedEveryMs, log };
      const url = URL.parse(config.FORMWIRE_PUBLIC_URL ?? '');
      return [
        ...(roles.includes('relay') ? [createStoredMetrics(registry, stored)] : []),
        ...(roles.includes('api') && url?.protocol === 'https:' ? [createCertificateWatch(registry, { url, everyMs: certificateEveryMs, log })] : []),
      ];
    },
  };
}
