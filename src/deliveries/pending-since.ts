/**
 * Since when a pending delivery `d` has waited: since it was made, or since it was sent again. So what a replay takes up
 * of last month is not late by a month.
 */
export const pendingSince = 'greatest(d.created_at, d.redelivered_at, r.created_at)';
/** What it needs beside the delivery. */
export const joinReplay = 'left join replays r on r.id = d.replay_id';
