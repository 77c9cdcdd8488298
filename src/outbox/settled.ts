import type { Pool } from 'pg';
import { waitForTableWriters } from '../table-writers.ts';

/**
 * Up to where the order of events is settled: at no position up to there can anything become visible that is not now.
 *
 * Positions are drawn in their order, but transactions become visible in another one: who has read up to the highest
 * position there is may have missed a lower one, and nothing would ever bring them back to it. Who reads up to the
 * settled position only, has it all. It trails behind the last commit by as long as the transactions under way take,
 * which are single statements of a few milliseconds.
 */
export interface Settled {
  /** As it was last found; everything up to there was visible to whatever was read after this call. */
  known(): number;
  /**
   * Finds it anew: at least the position of every event that was committed before this call, unless a transaction does
   * not end within a second. Callers who come at the same time share it.
   */
  find(): Promise<number>;
}

const waitAtMostMs = 1_000;
/** Drawing a position and writing it is one statement that has both tables locked before it begins. */
const tables = ['responses', 'outbox'] as const;

/** A sequence that was never drawn from says 1 all the same. */
const selectLast = `select case when is_called then last_value else 0 end::float8 as last from outbox_position_seq`;

/**
 * Whoever holds a position up to the last one drawn has had its tables locked since before that was read. So once all
 * are through that have them locked right after, no such position is still to be seen.
 */
export function createSettled({ pool }: { pool: Pool }): Settled {
  let known = 0;
  let finding: Promise<number> | undefined;
  let next: Promise<number> | undefined;

  const findOnce = async (): Promise<number> => {
    const { rows } = await pool.query<{ last: number }>({ name: 'last-position', text: selectLast });
    const last = rows[0]?.last ?? 0;
    if (last > known && (await waitForTableWriters(pool, { tables, atMostMs: waitAtMostMs }))) known = Math.max(known, last);
    return known;
  };

  const begin = (): Promise<number> => {
    const own = findOnce().finally(() => {
      if (finding === own) finding = undefined;
    });
    finding = own;
    return own;
  };

  /** What is under way may have looked before this caller's event was committed: only the one after it will do. */
  const afterThis = (underWay: Promise<number>): Promise<number> => {
    next ??= underWay
      .catch(() => undefined)
      .then(() => {
        next = undefined;
        return begin();
      });
    return next;
  };

  return { known: () => known, find: () => (finding ? afterThis(finding) : begin()) };
}
