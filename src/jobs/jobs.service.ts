import type { Pool } from 'pg';
import type { Provider } from '../../integrations/provider.ts';
import { requirePermission, viewerAllowed } from '../accounts/permissions.ts';
import { integrationsWhere, reachOf } from '../accounts/reach.ts';
import { cancelPendingOfJob } from '../deliveries/cancel-pending.ts';
import { isId, newId, type Id } from '../events/id.ts';
import type { Caller } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { Integration } from '../integrations/integration.entity.ts';
import { UserError } from '../user-error.ts';
import { jobsOfIntegrations, readJobs, type JobRow } from './job-rows.ts';
import type { JobInput, JobKind } from './job.entity.ts';

export interface JobsDeps {
  pool: Pool;
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  providerNamed: (name: string) => Provider | undefined;
  now: () => Date;
}

export interface StartBackfillInput {
  integrationId: string;
  since?: Date | null | undefined;
  until?: Date | null | undefined;
  again?: boolean | null | undefined;
}

export type JobsService = ReturnType<typeof createJobsService>;

/**
 * Nothing where one of the kind is not finished. The integration's row is locked: whoever deletes it ends this job, or
 * this one finds that there is none.
 */
const begin = `
  insert into jobs (id, organization_id, integration_id, kind, status, asked, input, progress, attempts, next_attempt_at, created_at)
  select $1, i.organization_id, i.id, $3, 'waiting', 1, $4, '{"done":0,"made":0}', 0, now(), now()
  from (select id, organization_id from integrations where id = $2 and deleted_at is null for key share) i
  on conflict (integration_id, kind) where status in ('waiting', 'running') do nothing`;

const cancel = `
  update jobs set status = 'canceled', next_attempt_at = null, finished_at = now()
  where id = $1 and organization_id = $2 and kind in ('backfill', 'verify') and status in ('waiting', 'running')`;

/** Work of integrations that goes on in the background. Everything here is for members of the organisation. */
export function createJobsService(deps: JobsDeps) {
  const { pool, reads, providerNamed, now } = deps;

  const read = async ({ organizationId }: Viewer, id: Id<'job'>): Promise<JobRow> => {
    const job = (await readJobs(reads, { organizationId, ids: [id] })).get(id);
    if (!job) throw noJob();
    return job;
  };

  const start = async (viewer: Viewer, { integration, kind, input }: { integration: Integration; kind: JobKind; input: JobInput }): Promise<JobRow> => {
    const id = newId('job');
    const { rowCount } = await pool.query(begin, [id, integration.id, kind, JSON.stringify(input)]);
    if (rowCount === 0) throw new UserError('TOO_MANY', `A ${kind} of this integration is under way: wait for its end, or cancel it.`, ['integrationId']);
    return read(viewer, id);
  };

  return {
    /** Lets an integration have responses from before it was there. Throws UserError. */
    async startBackfill(caller: Caller, { integrationId, since, until, again }: StartBackfillInput): Promise<JobRow> {
      const viewer = requirePermission(caller, 'jobs:write');
      const integration = await ownIntegration(caller, { viewer, integrationId });
      if (!providerNamed(integration.provider)?.deliver) throw new UserError('INVALID_INPUT', 'This integration gets no deliveries.', ['integrationId']);
      if (since && until && since >= until) throw new UserError('INVALID_INPUT', 'This is not after `since`.', ['until']);
      const input = { until: (until ?? now()).toISOString(), ...(since && { since: since.toISOString() }), ...(again && { again }) };
      return start(viewer, { integration, kind: 'backfill', input });
    },

    /** Compares what is outside with the responses, and mends it where that is wanted. Throws UserError. */
    async startVerify(caller: Caller, { integrationId, repair }: { integrationId: string; repair?: boolean | null | undefined }): Promise<JobRow> {
      const viewer = requirePermission(caller, 'jobs:write');
      const integration = await ownIntegration(caller, { viewer, integrationId });
      if (!providerNamed(integration.provider)?.verify) throw new UserError('INVALID_INPUT', 'What this integration sends cannot be compared.', ['integrationId']);
      return start(viewer, { integration, kind: 'verify', input: repair ? { repair } : {} });
    },

    /** Ends a backfill or a comparison, with what it has pending. What was delivered stays. Throws UserError. */
    async cancel(caller: Caller, id: string): Promise<JobRow> {
      const viewer = requirePermission(caller, 'jobs:write');
      if (!isId('job', id)) throw noJob();
      const { kind, status } = await read(viewer, id);
      const { rowCount } = await pool.query(cancel, [id, viewer.organizationId]);
      if (rowCount === 0) throw new UserError('INVALID_INPUT', `This ${kind} cannot be canceled: it is ${status}.`, ['id']);
      await cancelPendingOfJob(pool, id);
      return read(viewer, id);
    },

    /** The organisation's jobs of these ids. */
    async readMany(caller: Caller, ids: readonly Id<'job'>[]): Promise<Map<Id<'job'>, JobRow>> {
      const viewer = viewerAllowed(caller, 'jobs:read');
      return viewer ? readJobs(reads, { organizationId: viewer.organizationId, ids }) : new Map<Id<'job'>, JobRow>();
    },

    /** The newest jobs of integrations, newest first. */
    async ofIntegrations(caller: Caller, integrationIds: readonly Id<'intg'>[]): Promise<Map<Id<'intg'>, JobRow[]>> {
      const viewer = viewerAllowed(caller, 'jobs:read');
      return viewer ? jobsOfIntegrations(reads, { organizationId: viewer.organizationId, integrationIds }) : new Map<Id<'intg'>, JobRow[]>();
    },
  };
}

const noJob = (): UserError => new UserError('NOT_FOUND', 'Your organisation has no job with this id.', ['id']);

async function ownIntegration({ em }: Caller, { viewer, integrationId }: { viewer: Viewer; integrationId: string }): Promise<Integration> {
  const found = isId('intg', integrationId) ? await em.findOne(Integration, { ...integrationsWhere(reachOf(viewer)), id: integrationId, deletedAt: null }) : null;
  if (found) return found;
  throw new UserError('NOT_FOUND', 'Your organisation has no integration with this id.', ['integrationId']);
}
