import { performance } from 'node:perf_hooks';
import type { RecordedDispatch } from '../deliveries/dispatch-state.ts';
import type { Lease } from '../deliveries/record-outcomes.ts';
import type { Event } from '../events/event.ts';
import { pause, repeat } from '../run.ts';
import type { Incoming } from '../stream/message.ts';
import { createIntake, type Intake } from './intake.ts';
import type { Lane } from './lane.ts';
import { readPartition, type ReaderDeps } from './partition-reader.ts';
import type { Recorder } from './recorder.ts';

export interface PartitionsDeps extends Omit<ReaderDeps, 'handle' | 'isHeld' | 'recorded' | 'onLag'> {
  recorder: Recorder;
  leaseMs: number;
  /** How long giving a partition up waits for what is in flight. */
  drainMs: number;
  lanesFor: (event: Event) => Lane[] | Promise<Lane[]>;
  findRecorded: (events: readonly Event[]) => Promise<RecordedDispatch[]>;
  renew: (options: { claim: boolean }) => Promise<{ held: Lease[]; share: number }>;
  release: (partitions: readonly number[]) => Promise<void>;
  /** Resolves when no call is about deliveries of these partitions, and what came of them is recorded. */
  settled: (partitions: readonly number[]) => Promise<void>;
  onGained: () => void;
  onAcked?: (() => void) | undefined;
  traceIncoming?: ((incoming: Incoming) => Incoming) | undefined;
}

/** The partitions this dispatcher owns, each with its reader. */
export interface Partitions {
  /** Those whose deliveries may be claimed: not the ones that are being given up. */
  held(): Lease[];
  isHeld(lease: Lease): boolean;
  inFlight(): number;
  /** Of each partition that is held, how many of its events were not acked when NATS was last asked; absent until then. */
  lags(): Map<number, number>;
  /** Takes, keeps and gives up partitions until `signal` aborts; then drains and releases them all. */
  run(signal: AbortSignal): Promise<void>;
}

interface Owned {
  lease: Lease;
  intake: Intake;
  /** Until when the lease holds by this process's clock, counted from before it was asked for. */
  validUntil: number;
  stopReading: AbortController;
  reading: Promise<void>;
  isDropped: boolean;
  /** It is being given up: what came from the stream is finished, nothing more is begun. */
  isLeaving: boolean;
  lag: number | undefined;
}

export function createPartitions(deps: PartitionsDeps): Partitions {
  const { leaseMs, drainMs, log } = deps;
  const owned = new Map<number, Owned>();

  const isValid = (one: Owned): boolean => !one.isDropped && performance.now() < one.validUntil;
  const isStaying = (one: Owned): boolean => isValid(one) && !one.isLeaving;
  const onRenewFailed = (error: unknown): void => log.warn({ err: error }, 'leases.renew_failed');

  const open = (lease: Lease, validUntil: number): void => {
    const isHeld = (): boolean => isValid(one);
    const intake = createIntake({
      ...deps,
      lease,
      isHeld,
      onError: (error) => log.warn({ partition: lease.partition, err: error }, 'event.dispatch_failed'),
    });
    const { traceIncoming } = deps;
    const handle = traceIncoming ? (incoming: Incoming) => intake.handle(traceIncoming(incoming)) : intake.handle;
    const stopReading = new AbortController();
    const one: Owned = { lease, intake, validUntil, stopReading, reading: Promise.resolve(), isDropped: false, isLeaving: false, lag: undefined };
    one.reading = readPartition({ ...deps, handle, isHeld, recorded: deps.recorder.flushed, onLag: (messages) => (one.lag = messages) }, lease, stopReading.signal);
    owned.set(lease.partition, one);
  };

  /** What is in flight and not recorded is left to the stream and the outbox. */
  const drop = (one: Owned): void => {
    one.isDropped = true;
    one.stopReading.abort();
    one.intake.abandon();
    owned.delete(one.lease.partition);
  };

  /** Keeps what is still ours, drops what is not; answers the leases that are new. */
  const refresh = async (options: { claim: boolean }): Promise<{ gained: Lease[]; share: number; validUntil: number }> => {
    const askedAt = performance.now();
    const { held, share } = await deps.renew(options);
    const validUntil = askedAt + leaseMs;
    for (const one of owned.values()) {
      const isOurs = held.some((lease) => lease.partition === one.lease.partition && lease.epoch === one.lease.epoch);
      if (isOurs && isValid(one)) one.validUntil = validUntil;
      else drop(one);
    }
    return { gained: held.filter((lease) => !owned.has(lease.partition)), share, validUntil };
  };

  /** Reading stops, the leases stay until what is in flight has ended and is recorded, or the bound is reached. */
  const giveUp = async (some: readonly Owned[]): Promise<void> => {
    const bound = performance.now() + drainMs;
    let isDrained = false;
    const numbers = some.map((one) => one.lease.partition);
    for (const one of some) {
      one.isLeaving = true;
      one.stopReading.abort();
    }
    const draining = Promise.all([...some.map((one) => one.intake.drained()), deps.settled(numbers)]).then(() => {
      isDrained = true;
    });
    while (!isDrained && performance.now() < bound) {
      await Promise.race([draining, pause(leaseMs / 4, AbortSignal.timeout(drainMs))]);
      if (!isDrained) await refresh({ claim: false }).catch(onRenewFailed);
    }
    for (const one of some) drop(one);
    await Promise.all(some.map((one) => one.reading));
    await deps.release(numbers);
    log.info({ partitions: numbers, isDrained }, 'partitions.released');
  };

  const tick = async (): Promise<void> => {
    const { gained, share, validUntil } = await refresh({ claim: true });
    for (const lease of gained) open(lease, validUntil);
    if (gained.length > 0) {
      log.info({ partitions: gained.map((lease) => lease.partition) }, 'partitions.gained');
      deps.onGained();
    }
    if (owned.size > share) await giveUp([...owned.values()].slice(share));
  };

  return {
    held: () => [...owned.values()].filter(isStaying).map((one) => one.lease),
    isHeld: (lease) => {
      const one = owned.get(lease.partition);
      return one !== undefined && one.lease.epoch === lease.epoch && isStaying(one);
    },
    inFlight: () => [...owned.values()].reduce((sum, one) => sum + one.intake.inFlight(), 0),
    lags: () => new Map([...owned].flatMap(([partition, { lag }]) => (lag === undefined ? [] : [[partition, lag]]))),
    run: async (signal) => {
      await repeat({ step: tick, everyMs: leaseMs / 4, onError: onRenewFailed, signal });
      await giveUp([...owned.values()]).catch((error: unknown) => log.warn({ err: error }, 'leases.release_failed'));
    },
  };
}
