import type { Pool } from 'pg';
import type { Log } from '../log.ts';
import { leaseTokens, type Lease, type LeaseRequest } from './lease-tokens.ts';

/** Asks for tokens on behalf of many buckets. */
export interface Lessee {
  /** Answers what was got; undefined where the database cannot say, or not in time. */
  lease(request: LeaseRequest): Promise<Lease | undefined>;
}

interface Waiting {
  request: LeaseRequest;
  resolve: (lease: Lease | undefined) => void;
}

/** Of one statement, which can change each bucket once. */
const maxKeys = 500;
const maxWaiting = 10_000;
/** After a failure the database is left alone for a while. */
const restMs = 1_000;

/** One statement at a time: what is asked for meanwhile goes into the next. */
export function createLessee({ pool, log, patienceMs }: { pool: Pool; log: Log; patienceMs: number }): Lessee {
  let waiting: Waiting[] = [];
  let isAsking = false;
  let restUntil = 0;

  const ask = async (batch: readonly Waiting[]): Promise<void> => {
    const giveUp = setTimeout(() => batch.forEach(({ resolve }) => resolve(undefined)), patienceMs);
    try {
      const leases = await leaseTokens(pool, batch.map(({ request }) => request));
      for (const { request, resolve } of batch) resolve(leases.get(request.key));
    } catch (error) {
      log.warn({ err: error }, 'rate_limits.unshared');
      restUntil = performance.now() + restMs;
      for (const { resolve } of batch) resolve(undefined);
    } finally {
      clearTimeout(giveUp);
    }
  };

  const work = async (): Promise<void> => {
    isAsking = true;
    while (waiting.length > 0) {
      const batch = new Map<string, Waiting>();
      const later: Waiting[] = [];
      for (const asked of waiting) {
        if (batch.size < maxKeys && !batch.has(asked.request.key)) batch.set(asked.request.key, asked);
        else later.push(asked);
      }
      waiting = later;
      await ask([...batch.values()]);
    }
    isAsking = false;
  };

  return {
    lease: (request) => {
      if (performance.now() < restUntil || waiting.length >= maxWaiting) return Promise.resolve(undefined);
      return new Promise((resolve) => {
        waiting.push({ request, resolve });
        if (!isAsking) void work();
      });
    },
  };
}
