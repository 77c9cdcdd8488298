import type { Pool } from 'pg';

/** What a process asks of the bucket that all share. */
export interface LeaseRequest {
  key: string;
  ratePerSecond: number;
  burst: number;
  /** Taken whether or not they are there: they were used already. */
  owed: number;
  /** Taken as far as they are there. */
  wanted: number;
}

export interface Lease {
  granted: number;
  /** What is left for all: below zero where more was owed than was there. */
  left: number;
}

/**
 * One statement for many buckets, in the order of their keys, so that two processes cannot each hold what the other waits
 * for. A bucket fills by the database's clock; one that has no row is full.
 */
const lease = `
  insert into rate_buckets as known (key, tokens, updated_at, full_at, granted)
  select key, burst - owed - greatest(least(wanted, burst - owed), 0), now(),
         now() + (owed + greatest(least(wanted, burst - owed), 0)) / rate * interval '1 second',
         greatest(least(wanted, burst - owed), 0)
  from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[], $5::float8[]) as asked (key, rate, burst, owed, wanted)
  order by key
  on conflict (key) do update set (tokens, updated_at, full_at, granted) = (
    select has.tokens - got.granted, greatest(known.updated_at, now()),
           greatest(known.updated_at, now()) + (asked.burst - has.tokens + got.granted) / asked.rate * interval '1 second',
           got.granted
    from unnest($1::text[], $2::float8[], $3::float8[], $4::float8[], $5::float8[]) as asked (key, rate, burst, owed, wanted),
         lateral (select least(asked.burst, known.tokens + greatest(extract(epoch from now() - known.updated_at), 0) * asked.rate) - asked.owed as tokens) as has,
         lateral (select greatest(least(asked.wanted, has.tokens), 0) as granted) as got
    where asked.key = excluded.key
  )
  returning key, granted, tokens as left`;

/** Takes tokens out of buckets, each at most once in a call; answers by key. */
export async function leaseTokens(pool: Pool, requests: readonly LeaseRequest[]): Promise<Map<string, Lease>> {
  const { rows } = await pool.query<Lease & { key: string }>({
    name: 'lease-tokens',
    text: lease,
    values: [
      requests.map(({ key }) => key),
      requests.map(({ ratePerSecond }) => ratePerSecond),
      requests.map(({ burst }) => burst),
      requests.map(({ owed }) => owed),
      requests.map(({ wanted }) => wanted),
    ],
  });
  return new Map(rows.map(({ key, granted, left }) => [key, { granted, left }]));
}
