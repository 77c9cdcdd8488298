import type { Pool } from 'pg';
import { partitionCount } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { Lease } from './record-outcomes.ts';

/** How many partitions each of `dispatchers` may own: 16 for one, 8 for two, 6 for three (the last gets four). */
export const fairShare = (dispatchers: number): number => Math.ceil(partitionCount / Math.max(1, dispatchers));

const heartbeat = `
  insert into dispatchers (id, expires_at) values ($1, now() + make_interval(secs => $2 / 1000.0))
  on conflict (id) do update set expires_at = excluded.expires_at`;

const renew = `
  update partition_leases set expires_at = now() + make_interval(secs => $2 / 1000.0)
  where owner = $1
  returning partition, epoch`;

const claim = `
  update partition_leases set owner = $1, epoch = epoch + 1, expires_at = now() + make_interval(secs => $2 / 1000.0)
  where partition in (
    select partition from partition_leases where owner is null or expires_at < now()
    order by partition limit $3
    for update skip locked
  )
  returning partition, epoch`;

/** Renews this dispatcher's leases, and nothing else: for one that leaves. Answers what it holds. */
export async function keepLeases(pool: Pool, { owner, leaseMs }: { owner: Id<'dsp'>; leaseMs: number }): Promise<Lease[]> {
  return (await pool.query<Lease>(renew, [owner, leaseMs])).rows;
}

/**
 * Says that this dispatcher is alive, renews its leases and, with `claim`, takes free ones up to its fair share, all by
 * the database's clock. Answers what it holds now and its share; what it holds beyond that it should release once drained.
 */
export async function renewLeases(
  pool: Pool,
  options: { owner: Id<'dsp'>; leaseMs: number; claim: boolean },
): Promise<{ held: Lease[]; share: number }> {
  const { owner, leaseMs } = options;
  await pool.query(heartbeat, [owner, leaseMs]);
  await pool.query(`delete from dispatchers where expires_at < now() - interval '1 hour'`);
  const renewed = await keepLeases(pool, { owner, leaseMs });
  const { rows } = await pool.query<{ live: number }>('select count(*)::int as live from dispatchers where expires_at > now()');
  const share = fairShare(rows[0]?.live ?? 1);
  if (!options.claim || renewed.length >= share) return { held: renewed, share };
  const { rows: claimed } = await pool.query<Lease>(claim, [owner, leaseMs, share - renewed.length]);
  return { held: [...renewed, ...claimed], share };
}

/** Gives partitions up, for another dispatcher to take at once. */
export async function releaseLeases(pool: Pool, options: { owner: Id<'dsp'>; partitions: readonly number[] }): Promise<void> {
  await pool.query('update partition_leases set owner = null, expires_at = null where owner = $1 and partition = any($2)', [
    options.owner,
    options.partitions,
  ]);
}

/** Says that this dispatcher takes no partitions any more: the others' shares grow. What it still holds stays its own. */
export async function leaveDispatchers(pool: Pool, owner: Id<'dsp'>): Promise<void> {
  await pool.query('delete from dispatchers where id = $1', [owner]);
}

/**
 * Frees every lease, for a process that knows to be the only one on this database: what a killed predecessor held need
 * not run out first.
 */
export async function freeAllLeases(pool: Pool): Promise<void> {
  await pool.query('delete from dispatchers');
  await pool.query('update partition_leases set owner = null, expires_at = null');
}
