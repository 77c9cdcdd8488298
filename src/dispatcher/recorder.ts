import type { Pool } from 'pg';
import { recordFirstOutcomes, recordRetryOutcomes, type FirstOutcome, type Lease, type RetryOutcome } from '../deliveries/record-outcomes.ts';
import type { Id } from '../events/id.ts';
import type { Log } from '../log.ts';
import { pause } from '../run.ts';

/** An event on its way through the dispatcher: done when each integration's first outcome is recorded. */
export interface Dispatch {
  position: number;
  lease: Lease;
  /** Outcomes that are still to be handed to the recorder. */
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

type Entry =
  | { kind: 'first'; dispatch: Dispatch; outcome: FirstOutcome; onRecorded: (() => void) | undefined }
  | { kind: 'nothing'; dispatch: Dispatch }
  | { kind: 'retry'; outcome: RetryOutcome; onRecorded: (() => void) | undefined };

const maxBatch = 500;
/** Statements under way at a time. A partition's entries go through one of them, so that they commit in their order. */
const shardCount = 2;

/**
 * Writes outcomes as they come, many in a statement: while one is under way the next gather. An event's outbox row goes
 * in the commit of its last outcome, and only then its message is acked.
 *
 * While the database is away it tries on; the dispatchers' bounds on events in flight bound what gathers here.
 */
export function createRecorder(options: { pool: Pool; owner: Id<'dsp'>; log: Log; onStep?: ((step: 'recording' | 'recorded') => void) | undefined }): Recorder {
  const closing = new AbortController();
  const shards = Array.from({ length: shardCount }, () => createShard({ ...options, signal: closing.signal }));
  const shardOf = (lease: Lease) => shards[lease.partition % shardCount] as Shard;
  return {
    first: (dispatch, outcome, onRecorded) => {
      dispatch.missing -= 1;
      shardOf(dispatch.lease).add({ kind: 'first', dispatch, outcome, onRecorded });
    },
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

function createShard(options: { pool: Pool; owner: Id<'dsp'>; log: Log; signal: AbortSignal; onStep?: ((step: 'recording' | 'recorded') => void) | undefined }): Shard {
  const { pool, owner, log, signal, onStep } = options;
  const queue: Entry[] = [];
  let isWriting = false;
  let isScheduled = false;
  let onFlushed: (() => void)[] = [];

  const write = async (entries: readonly Entry[]): Promise<void> => {
    const firsts = entries.filter((entry) => entry.kind !== 'retry');
    const retries = entries.filter((entry) => entry.kind === 'retry');
    if (retries.length > 0) {
      await recordRetryOutcomes(pool, { owner, outcomes: retries.map((entry) => entry.outcome) });
      for (const entry of retries) entry.onRecorded?.();
    }
    if (firsts.length === 0) return;
    // an event with nothing missing had its other outcomes in this batch or in one before: this shard commits in order
    const finished = new Set(firsts.map((entry) => entry.dispatch).filter((dispatch) => dispatch.missing === 0));
    onStep?.('recording');
    const held = await recordFirstOutcomes(pool, {
      owner,
      outcomes: firsts.flatMap((entry) => (entry.kind === 'first' ? [entry.outcome] : [])),
      finished: [...finished],
    });
    onStep?.('recorded');
    for (const entry of firsts) if (entry.kind === 'first') entry.onRecorded?.();
    const isHeld = (lease: Lease) => held.some((one) => one.partition === lease.partition && one.epoch === lease.epoch);
    for (const dispatch of finished) if (isHeld(dispatch.lease)) dispatch.onDone();
  };

  /** Tries on until it is written. An entry that PostgreSQL refuses for itself is found by halving, and left out. */
  const writeStubbornly = async (entries: readonly Entry[]): Promise<void> => {
    for (let waitMs = 50; !signal.aborted; waitMs = Math.min(waitMs * 2, 2_000)) {
      try {
        return await write(entries);
      } catch (error) {
        if (signal.aborted) return;
        log.warn({ err: error, entries: entries.length }, 'deliveries.record_failed');
        if (isRefusal(error) && entries.length > 1) {
          const middle = Math.ceil(entries.length / 2);
          await writeStubbornly(entries.slice(0, middle));
          return writeStubbornly(entries.slice(middle));
        }
        if (isRefusal(error)) return log.error({ err: error }, 'delivery.unrecordable');
        await pause(waitMs, signal);
      }
    }
  };

  const pump = async (): Promise<void> => {
    if (isWriting) return;
    isWriting = true;
    while (queue.length > 0 && !signal.aborted) await writeStubbornly(queue.splice(0, maxBatch));
    isWriting = false;
    for (const resolve of onFlushed.splice(0)) resolve();
  };

  return {
    add: (entry) => {
      queue.push(entry);
      if (isScheduled || isWriting) return;
      isScheduled = true;
      // lets the outcomes of one turn of the event loop gather
      setImmediate(() => {
        isScheduled = false;
        void pump();
      });
    },
    flushed: () => (queue.length === 0 && !isWriting ? Promise.resolve() : new Promise((resolve) => onFlushed.push(resolve))),
    queued: () => queue.length,
  };
}

/** Classes 22 and 23, data exceptions and constraint violations: the statement would fail again. */
function isRefusal(error: unknown): boolean {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' && /^2[23]/.test(error.code);
}
