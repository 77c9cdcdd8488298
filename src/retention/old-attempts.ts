import { firstIdAt } from '../events/id.ts';
import type { Prune } from './prune.ts';

/**
 * A page of deliveries by their ids, which grow with the time: what was made within the retention cannot have finished
 * before it. Pending and dead ones keep all their attempts, for they say why.
 */
const forget = `
  with page as (
    select distinct delivery_id from attempts where delivery_id > $1 and delivery_id < $2 order by delivery_id limit $3
  ), gone as (
    delete from attempts a using page, deliveries d
    where a.delivery_id = page.delivery_id and d.id = page.delivery_id
      and d.status in ('delivered', 'canceled') and d.finished_at < now() - $4 * interval '1 millisecond'
    returning 1
  )
  select (select max(delivery_id) from page) as last, (select count(*)::int from page) as seen, (select count(*)::int from gone) as count`;

/**
 * Attempts of deliveries that have been finished for longer than `keptMs`; that a delivery was made, and when, stays. A
 * walk over all that are older, `limit` deliveries a page: what it comes by each time are the attempts of pending and
 * dead deliveries, and of those that were redelivered.
 */
export function oldAttempts({ keptMs, everyMs, limit }: { keptMs: number; everyMs: number; limit: number }): Prune {
  return {
    table: 'attempts',
    everyMs,
    page: async (pool, after) => {
      const { rows } = await pool.query<{ last: string | null; seen: number; count: number }>(forget, [after, firstIdAt('dlv', Date.now() - keptMs), limit, keptMs]);
      const [page] = rows;
      if (!page) throw new Error('a page of attempts said nothing');
      return { count: page.count, next: page.seen < limit ? null : page.last };
    },
  };
}
