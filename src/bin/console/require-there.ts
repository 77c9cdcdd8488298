import type { Pool } from 'pg';
import type { Id } from '../../events/id.ts';

/**
 * Throws where a form or an integration that was named is not there, deleted ones count: that nothing of it is dead
 * would be no comfort.
 */
export async function requireThere(pool: Pool, { formId, integrationId }: { formId?: Id<'form'> | undefined; integrationId?: string | null | undefined }): Promise<void> {
  for (const [table, id] of [['forms', formId], ['integrations', integrationId]] as const) {
    if (id && (await pool.query(`select 1 from ${table} where id = $1`, [id])).rowCount === 0) throw new Error(`There is no ${id}.`);
  }
}
