import { performance } from 'node:perf_hooks';
import type { Pool } from 'pg';
import { recordFirstOutcomes, recordRetryOutcomes, type FirstOutcome, type Lease, type RetryOutcome } from '../deliveries/record-outcomes.ts';
import type { Id } from '../events/id.ts';
import type { Log } from '../log.ts';
import { pause } from '../run.ts';

/** An event on its way through the dispatcher: done when each integration's first outcome is recorded. */
export interface Dispatch {
  position: number;
  lease: Lease;
  /** Outcomes that are not recorded yet; the recorder counts them down. */
  missing: number;
  /** Everything is recorded and the outbox row gone: the message may be acked. Called once. */
  onDone(): void;
}

export interface Recorder {
  first(dispatch: Dispatch, outcome: FirstOutcome, onRecorded?: () => void): void;
  /** An event that no integration wants. */
  nothing(dispatch: Dispatch): void;
  retry(outcome: RetryOutcome, onRecorded?: () => void): void;
  /** Resolves when everything handed in so far is recorded. */
  flushed(): Promise<void>;
  queued(): number;
  /** Gives up what is not recorded; the stream and the outbox still have it. */
  close(): void;
}

export interface RecorderOptions {
  pool: Pool;
  owner: Id<'dsp'>;
  log: Log;
  onStep?: ((step: 'recording' | 'recorded') => void) | undefined;
  /** A batch was written, and how long that took. */
  onRecorded?: ((batch: { entries: number; durationMs: number }) => void) | undefined;
  /** Deliveries of these forms have changed. Must not wait or throw. */
  onChanged?: ((formIds: ReadonlySet<Id<'form'>>) => void) | undefined;
}

type FirstEntry =
  | { kind: 'first'; dispatch: Dispatch; outcome: FirstOutcome; onRecorded: (() => void) | undefined }
  | { kind: 'nothing'; dispatch: Dispatch };
type RetryEntry = { kind: 'retry'; outcome: RetryOutcome; onRecorded: (() => void) | undefined };
type Entry = FirstEntry | RetryEntry;

const maxBatch = 500;
/**
 * Batches of a shard begin at least this far apart, unless they are full: a statement and its commit cost as much as
 * some ten rows. The first after a rest goes at once, and no receiver waits for its record.
 */
const leastApartMs = 10;
/** Statements under way at a time. A partition's entries go through one of them, so that they commit in their order. */
const shardCount = 2;

/**
 * Writes outcomes as they come, many in a statement: while one is under way, and a little longer, the next gather. An event's outbox row goes
 * in the commit of its last outcome, and only then its message is acked.
 *
 * While the database is away it tries on; the dispatchers' bounds on events in flight bound what gathers here.
 */
export function createRecorder(options: RecorderOptions): Recorder {
  const closing = new AbortController();
  const shards = Array.from({ length: shardCount }, () => createShard({ ...options, signal: closing.signal }));
  const shardOf = (lease: Lease) => shards[lease.partition % shardCount] as Shard;
  return {
    first: (dispatch, outcome, onRecorded) => shardOf(dispatch.lease).add({ kind: 'first', dispatch, outcome, onRecorded }),
    nothing: (dispatch) => shardOf(dispatch.lease).add({ kind: 'nothing', dispatch }),
    retry: (outcome, onRecorded) => shardOf(outcome.lease).add({ kind: 'retry', outcome, onRecorded }),
    flushed: async () => void (await Promise.all(shards.map((shard) => shard.flushed()))),
    queued: () => shards.reduce((sum, shard) => sum + shard.queued(), 0),
    close: () => closing.abort(),
  };
}

interface Shard {
  add(entry: Entry): void;
  flushed(): Promise<void>;
  queued(): number;
}

function createShard(options: RecorderOptions & { signal: AbortSignal }): Shard {
  const { pool, owner, log, signal, onStep } = options;
  const queue: Entry[] = [];
  let isWriting = false;
  let isScheduled = false;
  let begunAt = -Infinity;
  let added = 0;
  let written = 0;
  let waiting: { until: number; resolve: () => void }[] = [];

  const writeRetries = async (entries: readonly RetryEntry[]): Promise<void> => {
    await recordRetryOutcomes(pool, { owner, outcomes: entries.map((entry) => entry.outcome) });
    for (const entry of entries) entry.onRecorded?.();
  };

  const writeFirsts = async (entries: readonly FirstEntry[]): Promise<void> => {
    const recording = new Map<Dispatch, number>();
    for (const { kind, dispatch } of entries) recording.set(dispatch, (recording.get(dispatch) ?? 0) + (kind === 'first' ? 1 : 0));
    // only those whose other outcomes have been committed before: what is still in the queue may never be
    const finished = [...recording].flatMap(([dispatch, count]) => (dispatch.missing === count ? [dispatch] : []));
    onStep?.('recording');
    const held = await recordFirstOutcomes(pool, {
      owner,
      outcomes: entries.flatMap((entry) => (entry.kind === 'first' ? [entry.outcome] : [])),
      finished,
    });
    onStep?.('recorded');
    for (const [dispatch, count] of recording) dispatch.missing -= count;
    for (const entry of entries) if (entry.kind === 'first') entry.onRecorded?.();
    const isHeld = (lease: Lease) => held.some((one) => one.partition === lease.partition && one.epoch === lease.epoch);
    for (const dispatch of finished) if (isHeld(dispatch.lease)) dispatch.onDone();
  };

  /** Tries on until it is written. An entry that PostgreSQL refuses for itself is found by halving, and left out. */
  const writeStubbornly = async <E extends Entry>(write: (entries: readonly E[]) => Promise<void>, entries: readonly E[]): Promise<void> => {
    if (entries.length === 0) return;
    for (let waitMs = 50; !signal.aborted; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        return await write(entries);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error, entries: entries.length }, 'deliveries.record_failed');
        if (isRefusal(error) && entries.length > 1) {
          const middle = Math.ceil(entries.length / 2);
          await writeStubbornly(write, entries.slice(0, middle));
          return writeStubbornly(write, entries.slice(middle));
        }
        if (isRefusal(error)) return log.error({ err: error }, 'delivery.unrecordable');
        await pause(waitMs, signal);
      }
    }
  };

  const pump = async (): Promise<void> => {
    if (isWriting) return;
    isWriting = true;
    while (queue.length > 0 && !signal.aborted) {
      const restMs = queue.length < maxBatch ? begunAt + leastApartMs - performance.now() : 0;
      if (restMs > 0) await pause(restMs, signal);
      begunAt = performance.now();
      const batch = queue.splice(0, maxBatch);
      await writeStubbornly(writeRetries, batch.filter((entry) => entry.kind === 'retry'));
      await writeStubbornly(writeFirsts, batch.filter((entry) => entry.kind !== 'retry'));
      written += batch.length;
      options.onChanged?.(formsOf(batch));
      options.onRecorded?.({ entries: batch.length, durationMs: performance.now() - begunAt });
      for (const { resolve } of waiting.filter(({ until }) => until <= written)) resolve();
      waiting = waiting.filter(({ until }) => until > written);
    }
    isWriting = false;
  };

  return {
    add: (entry) => {
      added += 1;
      queue.push(entry);
      if (isScheduled || isWriting) return;
      isScheduled = true;
      // lets the outcomes of one turn of the event loop gather
      setImmediate(() => {
        isScheduled = false;
        void pump();
      });
    },
    flushed: () => (written === added ? Promise.resolve() : new Promise((resolve) => waiting.push({ until: added, resolve }))),
    queued: () => queue.length,
  };
}

const formsOf = (entries: readonly Entry[]): Set<Id<'form'>> => new Set(entries.flatMap((entry) => (entry.kind === 'nothing' ? [] : [entry.outcome.formId])));

/** Classes 22 and 23, data exceptions and constraint violations: the statement would fail again. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
}
