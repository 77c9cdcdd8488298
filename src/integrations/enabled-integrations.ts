import type { Pool } from 'pg';
import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import type { IntegrationStatus, PastEvents } from './integration.entity.ts';

/** An integration as a dispatcher needs it: settings parsed by the provider later, secrets included. */
export interface EnabledIntegration {
  id: Id<'intg'>;
  organizationId: Id<'org'>;
  formId: Id<'form'> | null;
  provider: string;
  status: IntegrationStatus;
  statusReason: string | null;
  events: EventType[];
  pastEvents: PastEvents[];
  settings: unknown;
  secrets: string[];
  secretEnds: string[];
  sinceVersion: number;
  updatedAt: Date;
  isDeleted: boolean;
  /** Whether any of its deliveries is pending. */
  hasPending: boolean;
}

const columns = `
  i.id, i.organization_id as "organizationId", i.form_id as "formId", i.provider, i.status, i.status_reason as "statusReason",
  i.events, i.past_events as "pastEvents", i.settings, i.secrets, i.secret_ends as "secretEnds",
  i.since_version as "sinceVersion", i.updated_at as "updatedAt",
  i.deleted_at is not null as "isDeleted",
  exists (select 1 from deliveries d where d.integration_id = i.id and d.status = 'pending') as "hasPending"`;

/** The integrations of a form, with the version of the organisation's integrations they were read at. */
export async function integrationsOfForm(
  pool: Pool,
  form: { organizationId: Id<'org'>; formId: Id<'form'> },
): Promise<{ version: number; integrations: EnabledIntegration[] }> {
  const { rows } = await pool.query<{ version: number } & { [K in keyof EnabledIntegration]: EnabledIntegration[K] | null }>({
    name: 'integrations-of-form',
    text: `
      select o.integrations_version as version, ${columns}
      from organizations o
      left join integrations i
        on i.organization_id = o.id and i.deleted_at is null and (i.form_id is null or i.form_id = $2)
      where o.id = $1
      order by i.id`,
    values: [form.organizationId, form.formId],
  });
  return {
    version: rows[0]?.version ?? 0,
    integrations: rows.filter((row): row is { version: number } & EnabledIntegration => row.id !== null),
  };
}

/** Integrations by id, deleted ones too. */
export async function integrationsById(pool: Pool, ids: readonly Id<'intg'>[]): Promise<EnabledIntegration[]> {
  if (ids.length === 0) return [];
  const { rows } = await pool.query<EnabledIntegration>({
    name: 'integrations-by-id',
    text: `select ${columns} from integrations i where i.id = any($1)`,
    values: [ids],
  });
  return rows;
}

/**
 * Writes what the dispatcher learnt of a receiver. Leaves an integration alone that its owner paused, disabled or
 * changed (`updatedAt`) in the meantime: the finding was about the one before.
 */
export async function reportHealth(
  pool: Pick<Pool, 'query'>,
  report: { integration: Pick<EnabledIntegration, 'id' | 'updatedAt'>; status: 'active' | 'failing' | 'disabled'; reason: string | null },
): Promise<void> {
  await pool.query(
    `update integrations set status = $3, status_reason = $4
     where id = $1 and updated_at = $2 and status in ('active', 'failing') and deleted_at is null`,
    [report.integration.id, report.integration.updatedAt, report.status, report.reason],
  );
}
