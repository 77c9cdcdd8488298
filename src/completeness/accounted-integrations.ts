import type { Pool, PoolClient } from 'pg';
import { integrationsIn, type Reach } from '../accounts/reach.ts';
import { sql, type Sql } from '../bound-sql.ts';
import type { Id } from '../events/id.ts';
import type { AccountedIntegration } from './account.ts';

const columns = sql`
  i.id, i.organization_id as "organizationId", i.form_id as "formId", i.since_version as "sinceVersion", i.events,
  i.past_events as "pastEvents", i.deleted_at is not null as "isDeleted"`;

/**
 * The integrations that events of a form may have been due to, deleted ones too, oldest first. To be read after the
 * events: one that came in between is too new for them by its version.
 */
export async function integrationsOf(pool: Pool, { reach, formId }: { reach: Reach; formId: Id<'form'> }): Promise<AccountedIntegration[]> {
  return readIntegrations(pool, sql`
    join forms f on f.organization_id = i.organization_id and f.id = ${formId}
    where (i.form_id is null or i.form_id = ${formId}) and ${integrationsIn(reach)}`);
}

/** Those of organisations that are not deleted. */
export async function integrationsOfOrganizations(pool: Pool | PoolClient, organizationIds: readonly Id<'org'>[]): Promise<Map<Id<'org'>, AccountedIntegration[]>> {
  return Map.groupBy(await readIntegrations(pool, sql`where i.organization_id = any(${organizationIds}) and i.deleted_at is null`), ({ organizationId }) => organizationId);
}

async function readIntegrations(pool: Pick<Pool | PoolClient, 'query'>, condition: Sql): Promise<AccountedIntegration[]> {
  const { rows } = await pool.query<AccountedIntegration>(sql`select ${columns} from integrations i ${condition} order by i.id`.toQuery());
  return rows;
}
