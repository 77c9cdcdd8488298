/**
 * Since when a pending delivery `d` has waited: since it was made, or since it was sent again. So what a replay takes up
 * of last month is not late by a month.
 */
export const pendingSince = 'greatest(d.created_at, d.redelivered_at, r.created_at)';
/** What it needs beside the delivery. */
export const joinReplay = 'left join replays r on r.id = d.replay_id';

/** In the order of `deliveries_waiting_index`, of whose rows these are the first: see `oldestPending`. */
export const waitingOrder = 'order by replay_id, greatest(created_at, redelivered_at)';

/**
 * Since when the first of all pending deliveries waits, or null, as a scalar: one look-up for those of no replay, and one
 * for each replay that has any, however many there are. (In a replay all wait since it began, or since they were made
 * or sent again after that.)
 */
export const oldestPending = `(
  with recursive hop as (
    (select replay_id from deliveries where status = 'pending' and replay_id is not null order by replay_id limit 1)
    union all
    select (select replay_id from deliveries where status = 'pending' and replay_id > hop.replay_id order by replay_id limit 1)
    from hop where hop.replay_id is not null
  )
  select least(
    (select greatest(created_at, redelivered_at) from deliveries where status = 'pending' and replay_id is null ${waitingOrder} limit 1),
    (select min(greatest(first.since, r.created_at)) from hop join replays r on r.id = hop.replay_id cross join lateral (
      select greatest(created_at, redelivered_at) as since from deliveries
      where status = 'pending' and replay_id = hop.replay_id ${waitingOrder} limit 1
    ) first)
  )
)`;
