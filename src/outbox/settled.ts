import type { Pool } from 'pg';
import { waitForTableWriters } from '../table-writers.ts';
import { UnavailableError } from '../user-error.ts';

/**
 * Up to where an order is settled: at no position up to there can anything become visible that is not now.
 *
 * Positions are drawn in their order, but transactions become visible in another one: who has read up to the highest
 * position there is may have missed a lower one, and nothing would ever bring them back to it. Who reads up to the
 * settled position only, has it all. It trails behind the last commit by as long as the transactions under way take,
 * which are single statements of a few milliseconds.
 */
export interface Settled {
  /** As it was last found; everything up to there was visible to whatever was read after this call. */
  known(): number;
  /** The last one known to be drawn: beyond it nobody can have been. */
  drawn(): number;
  /** Whether it was not found the last time: a transaction does not end. */
  isBehind(): boolean;
  /**
   * Finds it anew: at least the position of everything that was committed before this call, unless a transaction does
   * not end within a second. Callers who come at the same time share it. Throws UnavailableError where it was never
   * found: there is nothing to go on from.
   */
  find(): Promise<number>;
}

/** An order that rows have by the positions they draw. */
export interface Order {
  /** Where positions come from. */
  sequence: string;
  /** What holds them. Drawing a position and writing it is one statement, which has all of these locked before it begins. */
  tables: readonly string[];
}

/** That of all events. */
export const eventOrder: Order = { sequence: 'outbox_position_seq', tables: ['responses', 'outbox'] };

const waitAtMostMs = 1_000;

/** A sequence that was never drawn from says 1 all the same. */
const selectLast = (sequence: string): string => `select case when is_called then last_value else 0 end::float8 as last from ${sequence}`;

/**
 * Whoever holds a position up to the last one drawn has had its tables locked since before that was read. So once all
 * are through that have them locked right after, no such position is still to be seen.
 */
export function createSettled({ pool, order }: { pool: Pool; order: Order }): Settled {
  const { sequence, tables } = order;
  let known: number | undefined;
  let drawn = 0;
  let isBehind = false;
  let finding: Promise<number> | undefined;
  let next: Promise<number> | undefined;

  const findOnce = async (): Promise<number> => {
    const { rows } = await pool.query<{ last: number }>({ name: `last of ${sequence}`, text: selectLast(sequence) });
    const last = rows[0]?.last ?? 0;
    drawn = Math.max(drawn, last);
    isBehind = last > (known ?? 0) && !(await waitForTableWriters(pool, { tables, atMostMs: waitAtMostMs }));
    if (!isBehind) known = Math.max(known ?? 0, last);
    if (known === undefined) throw new UnavailableError('OVERLOADED', 'Something is being written that does not come to its end; try again.', waitAtMostMs);
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

  return { known: () => known ?? 0, drawn: () => drawn, isBehind: () => isBehind, find: () => (finding ? afterThis(finding) : begin()) };
}
