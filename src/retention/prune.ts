import type { Pool } from 'pg';

/** Which rows of a table are needed no longer, and how often they are looked for. */
export interface Prune {
  table: string;
  /** Where the rows stay: what of them goes. */
  column?: string;
  everyMs: number;
  /** Deletes what is old of a page after `after` ('' for the first). `next`: after what the following one begins; null: there is no more. */
  page(pool: Pick<Pool, 'query'>, after: string): Promise<{ count: number; next: string | null }>;
}

export interface OldRows {
  table: string;
  everyMs: number;
  /** Rows of one page: what one statement deletes, and locks while it does. */
  limit: number;
  /** What stands after `where`, and an order that an index has, if the table can be large. */
  old: string;
}

/**
 * Rows that can be told by themselves. Those that somebody else is at are left for the next time: so nobody waits for a
 * prune, and several processes that do the same take different rows. Planned anew each time: a page is found by the
 * index also where the plan for an unknown limit would be to read the whole table.
 */
export function oldRows({ table, everyMs, limit, old }: OldRows): Prune {
  const text = `delete from ${table} where ctid = any(array(select ctid from ${table} where ${old} limit $1 for update skip locked))`;
  return {
    table,
    everyMs,
    page: async (pool) => {
      const { rowCount } = await pool.query(text, [limit]);
      const count = rowCount ?? 0;
      return { count, next: count < limit ? null : '' };
    },
  };
}

/** Whether a time in this column is past for at least so long, by the database's clock. */
export const past = (column: string, ms: number): string => `${column} < now() - ${ms} * interval '1 millisecond'`;
