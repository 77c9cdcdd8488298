import type { Pool } from 'pg';
import { firstIdAt } from '../events/id.ts';

/** Clocks of processes may differ, and a response waits for its commit a while: ten minutes are more than both. */
const slackMs = 600_000;

const select = `
  select coalesce((select position from responses where id < $1 order by id desc limit 1), -9e15)::float8 as after,
         coalesce((select position from responses where id >= $2 order by id limit 1), 9e15)::float8 as through`;

/**
 * Positions between which all events of a time are, and not many more: positions grow with time, though not to the
 * second. Two look-ups by the primary key, for there is no index by time.
 */
export async function placesBetween(pool: Pool, { since, until }: { since: Date; until: Date }): Promise<{ after: number; through: number }> {
  const [lowest, highest] = [firstIdAt('resp', since.getTime() - slackMs), firstIdAt('resp', until.getTime() + slackMs)];
  const { rows } = await pool.query<{ after: number; through: number }>({ name: 'places-between', text: select, values: [lowest, highest] });
  return rows[0] ?? { after: 0, through: 0 };
}
