import type { Pool } from 'pg';
import type { Id } from '../../src/events/id.ts';

/** Tables that hold nothing of an organisation's that a call could change for others. */
const apart = new Set(['sessions', 'refresh_tokens', 'login_attempts', 'partition_leases', 'dispatchers', 'processes', 'mikro_orm_migrations', 'rate_buckets', 'erased_events', 'quotas', 'completeness_walks']);

/** Columns that change when somebody merely looks. */
const fleeting = ['last_used_at'];

const formsOf = 'select id from forms where organization_id = $1';
const byTable: Record<string, string> = {
  organizations: 'id = $1',
  users: 'id in (select user_id from memberships where organization_id = $1)',
};
/** How a table's rows are the organisation's, by the first of these columns that it has. */
const byColumn: [string, string][] = [
  ['organization_id', 'organization_id = $1'],
  ['form_id', `form_id in (${formsOf})`],
  ['question_id', `question_id in (select id from questions where form_id in (${formsOf}))`],
  ['response_id', `response_id in (select id from responses where form_id in (${formsOf}))`],
  ['family_id', `family_id in (select id from responses where form_id in (${formsOf}))`],
  ['integration_id', 'integration_id in (select id from integrations where organization_id = $1)'],
  ['delivery_id', 'delivery_id in (select id from deliveries where organization_id = $1)'],
  ['membership_id', 'membership_id in (select id from memberships where organization_id = $1)'],
];

/** An organisation's rows, in every table there is: one hash for each table, and all ids. */
export interface TenantSnapshots {
  take(organizationId: Id<'org'>): Promise<Record<string, string>>;
  ids(organizationId: Id<'org'>): Promise<Set<string>>;
}

/** Throws, naming it, where a table is in none of the lists above: somebody has to say whose its rows are. */
export async function openTenantSnapshots(pool: Pool): Promise<TenantSnapshots> {
  const { rows } = await pool.query<{ table: string; columns: string[] }>(
    `select table_name as table, array_agg(column_name::text) as columns from information_schema.columns where table_schema = 'public' group by 1`,
  );
  const tables = rows.filter(({ table }) => !apart.has(table)).map(({ table, columns }) => ({ table, columns, condition: conditionOf(table, columns) }));
  const content = `to_jsonb(t) - '{${fleeting.join(',')}}'::text[]`;
  const hashes = tables.map(
    ({ table, condition }) => `select '${table}' as name, count(*) || ' ' || coalesce(sum(hashtextextended((${content})::text, 0)), 0) as value from ${table} t where ${condition}`,
  );
  const ids = tables.filter(({ columns }) => columns.includes('id')).map(({ table, condition }) => `select id from ${table} where ${condition}`);
  return {
    take: async (organizationId) => {
      const { rows: taken } = await pool.query<{ name: string; value: string }>(hashes.join(' union all '), [organizationId]);
      return Object.fromEntries(taken.map(({ name, value }) => [name, value]));
    },
    ids: async (organizationId) => {
      const { rows: found } = await pool.query<{ id: string }>(ids.join(' union all '), [organizationId]);
      return new Set(found.map(({ id }) => id));
    },
  };
}

function conditionOf(table: string, columns: readonly string[]): string {
  const condition = byTable[table] ?? byColumn.find(([column]) => columns.includes(column))?.[1];
  if (condition === undefined) throw new Error(`test/support/tenant-snapshot.ts does not know whose the rows of the table ${table} are.`);
  return condition;
}
