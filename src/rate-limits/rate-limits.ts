import { createHash } from 'node:crypto';
import type { Pool } from 'pg';
import { createBoundedCache } from '../bounded-cache.ts';
import type { Log } from '../log.ts';
import { createLessee } from './lessee.ts';

/** `ratePerSecond` for ever, and `burst` at once after a rest. */
export interface Rate {
  ratePerSecond: number;
  burst: number;
}

export const rateKinds = ['key', 'user', 'address', 'form'] as const;
export type RateKind = (typeof rateKinds)[number];
/** What is absent or off is not limited. */
export type Rates = Partial<Record<RateKind, Rate | 'off'>>;

/**
 * Token buckets that all processes on one database share, without a statement for each call: a process leases tokens
 * ahead, a quarter of a second's worth at a time, and spends them from memory.
 *
 * How exact that is: of one key, N processes let through at most burst + rate × time + N × chunk, where a chunk is
 * `chunkOf` its rate. Each process may spend its first chunk before it has asked anybody; that chunk is counted at the
 * first lease, and forgotten where the key then rests for as long as a bucket takes to fill. While the database cannot be
 * asked, each process holds the whole rate on its own. Of keys beyond the newest 20,000 of a kind, a process forgets what
 * it has leased.
 */
export interface RateLimits {
  /**
   * Takes tokens: 0 where they were there, otherwise the milliseconds until it is worth another try, and nothing is
   * taken. More than the burst are there when the bucket is full, and paid off afterwards.
   */
  take(kind: RateKind, id: string, count: number): number | Promise<number>;
}

interface Bucket {
  key: string;
  /** Leased, and not used yet. */
  tokens: number;
  /** Used, and not counted yet in what all share. */
  owed: number;
  usedAt: number;
  /** What all share is empty until then: it is not asked before. */
  emptyUntil: number;
  /** When this process last knew what there is; from here on it fills the bucket itself if nobody can be asked. */
  countedAt: number;
  leasing: Promise<void> | undefined;
  /** What callers wait for. */
  demand: number;
}

const maxKeysOfKind = 20_000;
/** How often one caller waits for a lease. */
const maxRounds = 20;
/** An empty bucket is asked after no more often. */
const minWaitMs = 250;

/** What a process leases at a time: a quarter of a second's worth, or an eighth of the burst where that is less. */
export const chunkOf = ({ ratePerSecond, burst }: Rate): number => Math.max(1, Math.floor(Math.min(ratePerSecond / 4, burst / 8)));

export interface RateLimitsOptions {
  pool: Pool;
  rates: Rates;
  log: Log;
  /** How long a call waits for the database before its process goes on alone. */
  patienceMs?: number;
}

export function createRateLimits({ pool, rates, log, patienceMs = 250 }: RateLimitsOptions): RateLimits {
  const lessee = createLessee({ pool, log, patienceMs });
  const buckets = new Map(rateKinds.map((kind) => [kind, createBoundedCache<string, Bucket>({ maxWeight: maxKeysOfKind })]));

  const bucketOf = (kind: RateKind, id: string, rate: Rate): Bucket => {
    const known = buckets.get(kind)?.get(id);
    const now = performance.now();
    const isRested = known && now - known.usedAt >= fillMs(rate);
    if (known && !isRested) {
      known.usedAt = now;
      return known;
    }
    const chunk = chunkOf(rate);
    const bucket = { key: hashOf(`${kind} ${id}`), tokens: chunk, owed: chunk, usedAt: now, emptyUntil: 0, countedAt: now - fillMs(rate), leasing: undefined, demand: 0 };
    buckets.get(kind)?.set(id, bucket, 1);
    return bucket;
  };

  const renew = async (bucket: Bucket, rate: Rate): Promise<void> => {
    const { owed } = bucket;
    bucket.owed = 0;
    const wanted = Math.max(chunkOf(rate), bucket.demand - bucket.tokens);
    const lease = await lessee.lease({ key: bucket.key, ...rate, owed, wanted });
    const now = performance.now();
    const granted = lease?.granted ?? Math.min(rate.burst, ((now - bucket.countedAt) / 1_000) * rate.ratePerSecond);
    bucket.countedAt = now;
    bucket.tokens += granted;
    bucket.leasing = undefined;
    if (granted >= wanted) return;
    const missing = 1 - bucket.tokens - Math.min(lease?.left ?? 0, 0);
    bucket.emptyUntil = now + Math.max(minWaitMs, (missing / rate.ratePerSecond) * 1_000);
  };

  const lease = (bucket: Bucket, rate: Rate): Promise<void> => (bucket.leasing ??= renew(bucket, rate));

  const spend = (bucket: Bucket, count: number): void => {
    bucket.tokens -= count;
    if (bucket.tokens >= 0) return;
    bucket.owed -= bucket.tokens;
    bucket.tokens = 0;
  };

  const takeLeased = async (bucket: Bucket, rate: Rate, count: number): Promise<number> => {
    const needed = Math.min(count, rate.burst);
    bucket.demand += needed;
    // a lease under way may be for less, and others may have waited for it too
    for (let round = 0; round < maxRounds && bucket.tokens < needed && bucket.emptyUntil <= performance.now(); round += 1) await lease(bucket, rate);
    bucket.demand -= needed;
    if (bucket.tokens < needed) return untilEnough(bucket, rate, needed);
    spend(bucket, count);
    return 0;
  };

  return {
    take: (kind, id, count) => {
      const rate = rates[kind];
      if (!rate || rate === 'off' || count === 0) return 0;
      const bucket = bucketOf(kind, id, rate);
      const now = performance.now();
      if (bucket.tokens < count) return bucket.emptyUntil > now ? untilEnough(bucket, rate, Math.min(count, rate.burst)) : takeLeased(bucket, rate, count);
      bucket.tokens -= count;
      if (bucket.tokens < chunkOf(rate) / 2 && bucket.emptyUntil <= now) void lease(bucket, rate);
      return 0;
    },
  };
}

/** How long to wait for tokens that are not there. */
function untilEnough({ tokens, emptyUntil }: Bucket, { ratePerSecond }: Rate, needed: number): number {
  return Math.max(minWaitMs, emptyUntil - performance.now(), ((needed - tokens) / ratePerSecond) * 1_000);
}

const fillMs = ({ ratePerSecond, burst }: Rate): number => (burst / ratePerSecond) * 1_000;
const hashOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
