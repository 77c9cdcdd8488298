import type { Pool } from 'pg';
import { formsIn, type Reach } from '../accounts/reach.ts';
import { allOf, sql, trusted, type Sql } from '../bound-sql.ts';
import { versionId, type Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';

/** A version of a form without what it asks, which can be large. */
export interface VersionOfForm {
  id: Id<'ver'>;
  formId: Id<'form'>;
  number: number;
  title: string;
  createdAt: Date;
  createdById: Id<'usr'> | null;
}

export interface VersionKey {
  formId: Id<'form'>;
  number: number;
}

/** A page of a form's versions by their numbers; none where the form is out of reach. */
export function pageOfVersions(
  pool: Pool,
  { reach, formId, range }: { reach: Reach; formId: Id<'form'>; range: KeysetRange },
): Promise<VersionOfForm[]> {
  const { after, before, limit, reversed } = range;
  const condition = allOf([
    formsIn(reach),
    sql`v.form_id = ${formId}`,
    after === undefined ? undefined : sql`v.number > ${Number(after)}`,
    before === undefined ? undefined : sql`v.number < ${Number(before)}`,
  ]);
  return readVersions(pool, sql`${condition} order by v.number ${trusted(reversed ? 'desc' : 'asc')} limit ${limit}`);
}

/** The versions of these keys that forms within reach have. */
export function readVersionsByKey(
  pool: Pool,
  { reach, keys }: { reach: Reach; keys: readonly VersionKey[] },
): Promise<VersionOfForm[]> {
  const [formIds, numbers] = [keys.map(({ formId }) => formId), keys.map(({ number }) => number)];
  return readVersions(
    pool,
    sql`${formsIn(reach)} and (v.form_id, v.number) in (select * from unnest(${formIds}::text[], ${numbers}::int[]))`,
  );
}

async function readVersions(pool: Pool, condition: Sql): Promise<VersionOfForm[]> {
  const { rows } = await pool.query<Omit<VersionOfForm, 'id'>>(
    sql`
      select v.form_id as "formId", v.number, v.definition ->> 'title' as title, v.created_at as "createdAt", v.created_by_id as "createdById"
      from form_versions v
      join forms f on f.id = v.form_id and f.deleted_at is null
      where ${condition}`.toQuery(),
  );
  return rows.map((row) => ({ id: versionId(row.formId, row.number), ...row }));
}
