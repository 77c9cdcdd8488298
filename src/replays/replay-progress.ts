import type { Pool } from 'pg';
import { createBoundedCache } from '../bounded-cache.ts';
import type { Id } from '../events/id.ts';
import type { StateOrder } from '../graphql/live-topic.ts';
import { readReplays, type ReplayRow } from './replay-rows.ts';

const mostRemembered = 1_000;

/**
 * How far replays are, for those who watch: each state that is found gets a place behind the one before, so that what is
 * told is the state as it is, and never an older one after a newer. All who watch a replay in a process share the looking.
 */
export function createReplayProgress({ pool }: { pool: Pool }): (id: Id<'rpl'>) => StateOrder {
  const orders = createBoundedCache<Id<'rpl'>, StateOrder>({ maxWeight: mostRemembered });
  return (id) => {
    const order = orders.get(id) ?? orderOf(pool, id);
    orders.set(id, order, 1);
    return order;
  };
}

function orderOf(pool: Pool, id: Id<'rpl'>): StateOrder {
  let known = 0;
  let seen = '';
  let finding: Promise<number> | undefined;
  const look = async (): Promise<number> => {
    const row = (await readReplays(pool, { reach: { kind: 'installation' }, ids: [id] })).get(id);
    const found = row ? stateOf(row) : '';
    // by the clock: whoever comes from another process is behind what is found here later
    if (found !== seen) known = Math.max(known + 1, Date.now());
    seen = found;
    return known;
  };
  return { known: () => known, find: () => (finding ??= look().finally(() => (finding = undefined))) };
}

const stateOf = ({ status, made, pending, dead, canceled, reason, finishedAt, actions }: ReplayRow): string =>
  JSON.stringify([status, made, pending, dead, canceled, reason, finishedAt, actions.length]);
