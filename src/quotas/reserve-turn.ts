import type { Pool } from 'pg';
import type { QuotaRate } from '../../integrations/provider.ts';

/**
 * An even pace with a tolerance (GCRA): `next_at` is when the turn after the last one is due at that pace, and a turn may
 * come as much earlier as `burst - 1` turns take. All rows in the order of their names, or two statements could each
 * hold what the other waits for.
 */
const takeTurns = `
  insert into quotas as q (name, next_at)
  select name, clock_timestamp() + make_interval(secs => 60.0 / per_minute)
  from unnest($1::text[], $2::float8[], $3::int[]) as rate(name, per_minute, burst)
  order by name
  on conflict (name) do update set next_at =
    greatest(q.next_at, clock_timestamp())
    + (select make_interval(secs => 60.0 / r.per_minute) from unnest($1::text[], $2::float8[]) as r(name, per_minute) where r.name = q.name)
  returning name, extract(epoch from next_at - clock_timestamp()) * 1000 as "nextInMs"`;

/**
 * Takes the next turn at every one of the quotas and answers in how many milliseconds it comes, 0 for now. Turns are
 * given out in the order they are asked for, by one clock, the database's: whoever asks for one at a time shares fairly
 * with all others, in all processes. A turn that is not used is lost to all.
 */
export async function reserveTurn(pool: Pick<Pool, 'query'>, rates: readonly QuotaRate[]): Promise<number> {
  if (rates.length === 0) return 0;
  const { rows } = await pool.query<{ name: string; nextInMs: string }>({
    name: 'quota-turn',
    text: takeTurns,
    values: [rates.map(({ name }) => name), rates.map(({ perMinute }) => perMinute), rates.map(({ burst }) => burst)],
  });
  const nextInMs = new Map(rows.map((row) => [row.name, Number(row.nextInMs)]));
  return Math.max(0, ...rates.map((rate) => waitOf(rate, nextInMs.get(rate.name) ?? 0)));
}

/** `burst` turns may come before the pace asks for a wait. */
const waitOf = ({ perMinute, burst }: QuotaRate, nextInMs: number): number => nextInMs - burst * (60_000 / perMinute);
