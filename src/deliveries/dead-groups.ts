import type { Pool } from 'pg';
import { deliveriesIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';

/** Dead deliveries of one integration that failed alike. */
export interface DeadGroup {
  integrationId: Id<'intg'>;
  /** Of the last attempts; null where none was recorded. */
  errorClass: string | null;
  count: number;
  /** When the first and the last of them died. */
  first: Date;
  last: Date;
  /** The newest of them. */
  exampleId: Id<'dlv'>;
}

/** More kinds of trouble than anybody reads; the largest come first. */
const maxGroups = 200;

/** What is dead of a form or an integration or of all there is, by integration and class of error, the largest groups first. */
export async function groupDead(
  pool: Pool,
  { reach, of }: { reach: Reach; of: { formId?: string | undefined; integrationId?: string | undefined } },
): Promise<DeadGroup[]> {
  const query = sql`
    select d.integration_id as "integrationId", d.error_class as "errorClass", count(*)::int as count,
           min(d.finished_at) as first, max(d.finished_at) as last, max(d.id) as "exampleId"
    from deliveries d
    where d.status = 'dead' and ${deliveriesIn(reach)} and ${allOf([
      of.formId ? sql`d.form_id = ${of.formId}` : undefined,
      of.integrationId ? sql`d.integration_id = ${of.integrationId}` : undefined,
    ])}
    group by d.integration_id, d.error_class
    order by count(*) desc, d.integration_id, d.error_class
    limit ${maxGroups}`;
  const { rows } = await pool.query<DeadGroup>(query.toQuery());
  return rows;
}
