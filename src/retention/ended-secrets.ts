import { past, type Prune } from './prune.ts';

const hasEnded = (end: string, ms: number): string => past(`(${end})::timestamptz`, ms);

/**
 * The newest of the secrets has no end, so the one at n has the end at n - 1, counted from 1 as `with ordinality` does.
 * What somebody rotates at the same moment is locked, and left for the next time.
 */
const forget = (ms: number): string => `
  update integrations i set
    secrets = (
      select jsonb_agg(s.text order by s.n) from jsonb_array_elements(i.secrets) with ordinality s (text, n)
      left join jsonb_array_elements_text(i.secret_ends) with ordinality e (at, n) on e.n = s.n - 1
      where e.at is null or not ${hasEnded('e.at', ms)}
    ),
    secret_ends = coalesce((
      select jsonb_agg(e.at order by e.n) from jsonb_array_elements_text(i.secret_ends) with ordinality e (at, n)
      where not ${hasEnded('e.at', ms)}
    ), '[]')
  where i.id = any(array(
    select id from integrations
    where secret_ends <> '[]' and exists (select 1 from jsonb_array_elements_text(secret_ends) e (at) where ${hasEnded('e.at', ms)})
    limit $1 for update skip locked
  ))`;

/**
 * Signing keys that have ended for so long that they have in every process, however its clock goes. Nothing signs with
 * them; whoever gets hold of the database later, or of a backup, does not find them.
 */
export function endedSecrets({ endedMs, everyMs, limit }: { endedMs: number; everyMs: number; limit: number }): Prune {
  return {
    table: 'integrations',
    column: 'secrets',
    everyMs,
    page: async (pool) => {
      const { rowCount } = await pool.query(forget(endedMs), [limit]);
      const count = rowCount ?? 0;
      return { count, next: count < limit ? null : '' };
    },
  };
}
