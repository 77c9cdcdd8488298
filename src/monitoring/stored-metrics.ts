import { performance } from 'node:perf_hooks';
import { Gauge, type Registry } from 'prom-client';
import type { Log } from '../log.ts';
import { pause, type Runnable } from '../run.ts';
import { registerGauge } from './gauge.ts';
import type { AgedCount, StoredState } from './stored-state.ts';

export interface StoredMetricsOptions {
  read: () => Promise<StoredState>;
  everyMs: number;
  log: Log;
}

export interface StoredMetrics extends Runnable {
  /** Reads once; part of `run`. Answers in how many milliseconds to read again. */
  refresh(): Promise<number>;
}

/** What is read takes at most a twentieth of the time, however large the tables have become. */
const restPerWork = 19;

/**
 * Gauges of what is stored, the same whichever process reads it: they are read on a timer by those with the relay's
 * role, and asking for metrics asks nobody. While PostgreSQL is away they keep still, and their age grows.
 */
export function createStoredMetrics(registry: Registry, options: StoredMetricsOptions): StoredMetrics {
  const { read, everyMs, log } = options;
  /** Made with the first answer: before it nothing is known, and a 0 would say so. */
  let show: ((state: StoredState) => void) | undefined;
  let readAt = performance.now();
  const age = { name: 'formwire_stored_age_seconds', help: 'How long ago what is stored was last read: the outbox, pending and dead deliveries, owners of partitions.' };
  registerGauge(registry, age, (gauge) => gauge.set((performance.now() - readAt) / 1_000));

  const refresh = async (): Promise<number> => {
    const began = performance.now();
    try {
      const state = await read();
      (show ??= createGauges(registry))(state);
      readAt = performance.now();
    } catch (error) {
      log.warn({ err: error }, 'metrics.not_read');
    }
    return Math.max(everyMs, (performance.now() - began) * restPerWork);
  };
  return {
    name: 'stored metrics',
    refresh,
    run: async (signal) => {
      while (!signal.aborted) await pause(await refresh(), signal);
    },
  };
}

function createGauges(registry: Registry): (state: StoredState) => void {
  const gauge = (name: string, help: string, labelNames: string[] = []) => new Gauge({ registers: [registry], name, help, labelNames });
  const outbox = gauge('formwire_outbox_events', 'Events whose dispatch is not recorded, up to 100,000.');
  const oldest = gauge('formwire_outbox_oldest_seconds', 'Age of the oldest of them.');
  const dispatchers = gauge('formwire_dispatchers', 'Dispatchers that are alive.');
  const ownerless = gauge('formwire_partitions_without_owner', 'Partitions that no dispatcher owns.');
  const bytes = gauge('formwire_database_bytes', 'Size of the database.');
  const missing = gauge('formwire_missing_deliveries', 'Deliveries that are due and nowhere: 0, or something is broken.');
  const completeness = gauge('formwire_completeness_age_seconds', 'How long ago the check for missing deliveries came round.');
  const pending = gauge('formwire_pending_deliveries', 'Deliveries that wait, by the time since they were due first, or sent again; up to 100,000 together, those that wait for longest first.', ['provider', 'age']);
  const pendingOldest = gauge('formwire_pending_oldest_seconds', 'For how long the delivery waits that waits for longest, of all.');
  const dead = gauge('formwire_dead_deliveries', 'Deliveries given up on, by the time since; the newest 100,000.', ['provider', 'age']);
  const quota = gauge('formwire_quota_wait_seconds', 'How far ahead the turns at a service are given out, at the quota that is asked for most.', ['service']);
  const integrations = gauge('formwire_integrations', 'Integrations by provider and status.', ['provider', 'status']);
  return (state) => {
    outbox.set(state.outbox);
    oldest.set(state.outboxOldestSeconds);
    dispatchers.set(state.dispatchers);
    ownerless.set(state.partitionsWithoutOwner);
    bytes.set(state.databaseBytes);
    missing.set(state.missing);
    completeness.set(state.completenessSeconds);
    showAged(pending, state.pending);
    pendingOldest.set(state.pendingOldestSeconds);
    showAged(dead, state.dead);
    quota.reset();
    for (const { service, waitSeconds } of state.quotas) quota.set({ service }, waitSeconds);
    integrations.reset();
    for (const { provider, status, count } of state.integrations) integrations.set({ provider, status }, count);
  };
}

function showAged(gauge: Gauge, counts: readonly AgedCount[]): void {
  gauge.reset();
  for (const { provider, age, count } of counts) gauge.set({ provider, age }, count);
}
