import { UnavailableError } from '../user-error.ts';

export interface CoalescerOptions<Row, Result> {
  /** Writes a batch in one statement and answers one result for each row, in their order. */
  write: (rows: readonly Row[]) => Promise<Result[]>;
  /** Rows of one tenant keep their order; tenants take turns. */
  tenantOf: (row: Row) => string;
  /** Whether an error of `write` may be the fault of one row, as opposed to the database's. */
  isPoison: (error: unknown) => boolean;
  bytesOf: (row: Row) => number;
  /** Statements under way at a time. */
  writers: number;
  /** Bounds of one batch and of what waits; the row that passes a bound is the last one taken. */
  maxBatch: { rows: number; bytes: number };
  maxQueued: { rows: number; bytes: number };
}

export interface Coalescer<Row, Result> {
  /** Resolves once the row's batch has committed. Throws UnavailableError when the queue is full. */
  add(row: Row): Promise<Result>;
  queued(): number;
}

interface Waiting<Row, Result> {
  row: Row;
  resolve: (result: Result) => void;
  reject: (error: unknown) => void;
}

/**
 * Turns rows that come one by one into batches: while a statement is under way the next ones gather, and as soon as a
 * writer is free it takes what is there. Nothing waits on a timer, and nothing waits for one tenant's thousand rows:
 * a batch takes a row of each tenant in turn. A tenant's rows are in one statement at a time, so that they commit in
 * their order.
 *
 * A row that makes its batch fail is found by halving the batch, and fails alone.
 */
export function createCoalescer<Row, Result>(options: CoalescerOptions<Row, Result>): Coalescer<Row, Result> {
  const { write, tenantOf, bytesOf, isPoison, writers, maxBatch, maxQueued } = options;
  const tenants = new Map<string, Waiting<Row, Result>[]>();
  /** Tenants with rows in a statement under way: their next ones wait for it, or they could commit before those. */
  const busy = new Set<string>();
  let queued = 0;
  let queuedBytes = 0;
  let writing = 0;

  /** One row of each tenant in turn: the one just served goes to the end of the map. */
  const takeBatch = (): Waiting<Row, Result>[] => {
    const batch: Waiting<Row, Result>[] = [];
    let bytes = 0;
    for (const [tenant, waiting] of tenants) {
      if (busy.has(tenant)) continue;
      const next = waiting.shift();
      tenants.delete(tenant);
      if (!next) continue;
      if (waiting.length > 0) tenants.set(tenant, waiting);
      batch.push(next);
      bytes += bytesOf(next.row);
      if (batch.length >= maxBatch.rows || bytes >= maxBatch.bytes) break;
    }
    queued -= batch.length;
    queuedBytes -= bytes;
    return batch;
  };

  const settle = async (batch: readonly Waiting<Row, Result>[]): Promise<void> => {
    try {
      const results = await write(batch.map((waiting) => waiting.row));
      for (const [index, waiting] of batch.entries()) waiting.resolve(results[index] as Result);
    } catch (error) {
      if (batch.length === 1 || !isPoison(error)) {
        for (const waiting of batch) waiting.reject(error);
        return;
      }
      const middle = Math.ceil(batch.length / 2);
      await settle(batch.slice(0, middle));
      await settle(batch.slice(middle));
    }
  };

  const pump = (): void => {
    while (writing < writers && queued > 0) {
      const batch = takeBatch();
      if (batch.length === 0) return; // all that wait are busy
      const served = new Set(batch.map((waiting) => tenantOf(waiting.row)));
      for (const tenant of served) busy.add(tenant);
      writing += 1;
      void settle(batch).finally(() => {
        writing -= 1;
        for (const tenant of served) busy.delete(tenant);
        pump();
      });
    }
  };

  // The first of a burst would go out alone and the rest wait for it: let the rows of one turn of the event loop gather.
  let isScheduled = false;
  const schedulePump = (): void => {
    if (isScheduled) return;
    isScheduled = true;
    setImmediate(() => {
      isScheduled = false;
      pump();
    });
  };

  return {
    queued: () => queued,
    add: (row) => {
      if (queued >= maxQueued.rows || queuedBytes >= maxQueued.bytes) {
        return Promise.reject(new UnavailableError('OVERLOADED', 'Too many responses are being written; try again shortly.', 1_000));
      }
      return new Promise((resolve, reject) => {
        const tenant = tenantOf(row);
        const waiting = tenants.get(tenant);
        if (waiting) waiting.push({ row, resolve, reject });
        else tenants.set(tenant, [{ row, resolve, reject }]);
        queued += 1;
        queuedBytes += bytesOf(row);
        schedulePump();
      });
    },
  };
}
