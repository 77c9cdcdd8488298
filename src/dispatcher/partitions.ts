import { performance } from 'node:perf_hooks';
import type { RecordedDispatch } from '../deliveries/dispatch-state.ts';
import type { Lease } from '../deliveries/record-outcomes.ts';
import type { Event } from '../events/event.ts';
import type { Incoming } from '../stream/message.ts';
import { handOver } from './hand-over.ts';
import { createIntake, type Intake } from './intake.ts';
import type { Lane } from './lane.ts';
import { readPartition, type ReaderDeps } from './partition-reader.ts';
import type { Recorder } from './recorder.ts';
import { createWaker } from './waker.ts';

export interface PartitionsDeps extends Omit<ReaderDeps, 'handle' | 'isHeld' | 'recorded' | 'onLag'> {
  recorder: Recorder;
  leaseMs: number;
  /** How long giving a partition up waits for what is in flight. */
  drainMs: number;
  lanesFor: (event: Event) => Lane[] | Promise<Lane[]>;
  findRecorded: (events: readonly Event[]) => Promise<RecordedDispatch[]>;
  /** Renews the leases and, with `claim`, takes free ones up to this dispatcher's share. */
  renew: (options: { claim: boolean }) => Promise<{ held: Lease[]; share: number }>;
  /** Renews the leases of a dispatcher that has left. */
  keep: () => Promise<Lease[]>;
  release: (partitions: readonly number[]) => Promise<void>;
  /** Lets the others' shares grow; what is held stays so. */
  leave: () => Promise<void>;
  /** There is something to take, or to give up, for other dispatchers; must not wait or throw. */
  announce: () => void;
  /** The bound of stopping is reached: ends the calls that are still under way. */
  onOverdue: () => void;
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
  /** Looks at once whether there are partitions to take, or to give up. */
  look(): void;
  /** Takes, keeps and gives up partitions until `signal` aborts; then releases each as soon as it is drained. */
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

/** Looks never follow each other faster than this, however often others announce something. */
const leastLookMs = 100;

export function createPartitions(deps: PartitionsDeps): Partitions {
  const { leaseMs, drainMs, log } = deps;
  const owned = new Map<number, Owned>();
  const waker = createWaker();

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

  /** Keeps what is still ours, drops what is not; answers until when the leases hold. */
  const follow = (held: readonly Lease[], askedAt: number): number => {
    const validUntil = askedAt + leaseMs;
    for (const one of owned.values()) {
      const isOurs = held.some((lease) => lease.partition === one.lease.partition && lease.epoch === one.lease.epoch);
      if (isOurs && isValid(one)) one.validUntil = validUntil;
      else drop(one);
    }
    return validUntil;
  };

  const letGo = async (some: readonly Owned[], isDrained: boolean): Promise<void> => {
    const partitions = some.map((one) => one.lease.partition);
    const events = some.reduce((sum, one) => sum + one.intake.inFlight(), 0);
    for (const one of some) drop(one);
    await Promise.all(some.map((one) => one.reading));
    try {
      await deps.release(partitions);
      log.info({ partitions, isDrained, ...(!isDrained && { eventsLeft: events }) }, 'partitions.released');
      deps.announce();
    } catch (error) {
      log.warn({ partitions, err: error }, 'leases.release_failed'); // they run out
    }
  };

  /** Reading stops; each lease stays until what is in flight of its partition has ended and is recorded, or the bound is reached. */
  const giveUp = async (some: readonly Owned[], { keep, onOverdue }: { keep: () => Promise<readonly Lease[]>; onOverdue?: () => void }): Promise<void> => {
    for (const one of some) {
      one.isLeaving = true;
      one.stopReading.abort();
    }
    const chosen = (numbers: readonly number[]): Owned[] => some.filter((one) => !one.isDropped && numbers.includes(one.lease.partition));
    const left = await handOver({
      drained: new Map(some.map((one) => [one.lease.partition, Promise.all([one.intake.drained(), deps.settled([one.lease.partition])])])),
      boundMs: drainMs,
      keepEveryMs: leaseMs / 4,
      keep: async () => {
        const askedAt = performance.now();
        await keep().then((held) => void follow(held, askedAt), onRenewFailed);
      },
      release: (numbers) => letGo(chosen(numbers), true),
    });
    if (left.length === 0) return;
    onOverdue?.();
    await letGo(chosen(left), false);
  };

  const tick = async (): Promise<void> => {
    const askedAt = performance.now();
    const { held, share } = await deps.renew({ claim: true });
    const validUntil = follow(held, askedAt);
    const gained = held.filter((lease) => !owned.has(lease.partition));
    for (const lease of gained) open(lease, validUntil);
    if (gained.length > 0) {
      log.info({ partitions: gained.map((lease) => lease.partition) }, 'partitions.gained');
      deps.onGained();
    }
    if (owned.size > share) await giveUp([...owned.values()].slice(share), { keep: async () => (await deps.renew({ claim: false })).held });
  };

  let isKnown = false;
  const look = async (): Promise<void> => {
    await tick();
    if (!isKnown) deps.announce(); // the others have more than their share now
    isKnown = true;
  };

  return {
    held: () => [...owned.values()].filter(isStaying).map((one) => one.lease),
    isHeld: (lease) => {
      const one = owned.get(lease.partition);
      return one !== undefined && one.lease.epoch === lease.epoch && isStaying(one);
    },
    inFlight: () => [...owned.values()].reduce((sum, one) => sum + one.intake.inFlight(), 0),
    lags: () => new Map([...owned].flatMap(([partition, { lag }]) => (lag === undefined ? [] : [[partition, lag]]))),
    look: waker.wake,
    run: async (signal) => {
      await waker.loop({ step: look, everyMs: leaseMs / 4, leastMs: leastLookMs, onError: onRenewFailed, signal });
      await deps.leave().catch(onRenewFailed);
      deps.announce();
      await giveUp([...owned.values()], { keep: deps.keep, onOverdue: deps.onOverdue });
    },
  };
}
