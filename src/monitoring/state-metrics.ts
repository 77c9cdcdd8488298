import type { Registry } from 'prom-client';
import type { SubscriberState } from '../api/server.ts';
import type { DispatcherState } from '../dispatcher/dispatcher.ts';
import { registerGauge } from './gauge.ts';
import { registerSubscriberMetrics } from './subscriber-metrics.ts';

/** A pool of connections, as far as it is looked at. */
export interface PoolState {
  totalCount: number;
  idleCount: number;
  waitingCount: number;
}

/** What a process is at, read when somebody asks for its metrics. */
export interface StateSources {
  /** Responses that wait to be written. */
  unwritten: () => number;
  /** Events that wait to be published. */
  unpublished: () => number;
  /** Absent in a process that does not dispatch. */
  dispatcher: (() => DispatcherState) | undefined;
  /** Absent in a process without the API. */
  subscribers?: (() => SubscriberState) | undefined;
  pools: () => ReadonlyMap<string, PoolState>;
}

/** Gauges of what this process holds in its memory. They cost nothing until they are read. */
export function registerStateMetrics(registry: Registry, sources: StateSources): void {
  const { unwritten, unpublished, dispatcher, subscribers } = sources;
  registerGauge(registry, { name: 'formwire_submit_queued', help: 'Responses that wait to be written.' }, (metric) => metric.set(unwritten()));
  registerGauge(registry, { name: 'formwire_publish_queued', help: 'Events that wait for the stream to take them.' }, (metric) => metric.set(unpublished()));
  registerPools(registry, sources.pools);
  if (dispatcher) registerDispatcher(registry, dispatcher);
  if (subscribers) registerSubscriberMetrics(registry, subscribers);
}

function registerPools(registry: Registry, pools: StateSources['pools']): void {
  const labelNames = ['pool', 'state'];
  registerGauge(registry, { name: 'formwire_database_connections', help: 'Connections to PostgreSQL: busy or idle.', labelNames }, (metric) => {
    for (const [pool, { totalCount, idleCount }] of pools()) {
      metric.set({ pool, state: 'busy' }, totalCount - idleCount);
      metric.set({ pool, state: 'idle' }, idleCount);
    }
  });
  registerGauge(registry, { name: 'formwire_database_waiting', help: 'Callers that wait for a connection to PostgreSQL.', labelNames: ['pool'] }, (metric) => {
    for (const [pool, { waitingCount }] of pools()) metric.set({ pool }, waitingCount);
  });
}

function registerDispatcher(registry: Registry, state: () => DispatcherState): void {
  registerGauge(registry, { name: 'formwire_partition_owned', help: '1 for each partition that this process owns.', labelNames: ['partition'] }, (metric) => {
    for (const partition of state().partitions) metric.set({ partition }, 1);
  });
  registerGauge(registry, { name: 'formwire_partition_lag', help: 'Events of a partition of this process that are not dispatched, as of some seconds ago.', labelNames: ['partition'] }, (metric) => {
    for (const [partition, lag] of state().lags) metric.set({ partition }, lag);
  });
  registerGauge(registry, { name: 'formwire_events_in_flight', help: 'Events taken from the stream whose outcomes are not all recorded.' }, (metric) => metric.set(state().inFlight));
  registerGauge(registry, { name: 'formwire_record_queued', help: 'Outcomes that wait to be written.' }, (metric) => metric.set(state().unrecorded));
  registerLanes(registry, () => state().lanes);
}

/** Of all lanes of a provider together: of each there would be as many series as integrations. */
function registerLanes(registry: Registry, lanes: () => DispatcherState['lanes']): void {
  registerGauge(registry, { name: 'formwire_lanes', help: 'Lanes of this process by the state of their breaker.', labelNames: ['provider', 'breaker'] }, (metric) => {
    for (const { provider, breaker } of lanes()) metric.inc({ provider, breaker });
  });
  registerGauge(registry, { name: 'formwire_lane_deliveries', help: 'Deliveries that wait in lanes, and calls that run.', labelNames: ['provider', 'state'] }, (metric) => {
    for (const { provider, queued, running } of lanes()) {
      metric.inc({ provider, state: 'queued' }, queued);
      metric.inc({ provider, state: 'running' }, running);
    }
  });
  registerGauge(registry, { name: 'formwire_breaker_open_seconds', help: 'For how long the breaker has been open that was opened first.', labelNames: ['provider'] }, (metric) => {
    for (const [provider, some] of Map.groupBy(lanes(), (lane) => lane.provider)) {
      metric.set({ provider }, Math.max(0, ...some.map(({ openForMs = 0 }) => openForMs)) / 1_000);
    }
  });
}
