import type { EntityManager } from '@mikro-orm/postgresql';
import { providerNamed } from '../../integrations/index.ts';
import { newId, type Id } from '../events/id.ts';
import { Integration } from '../integrations/integration.entity.ts';
import type { JobKind } from './job.entity.ts';

type Connected = Pick<Integration, 'id' | 'organizationId' | 'provider'>;

/**
 * Asks for an integration to be connected again, in the transaction that changed it or its form. What has nothing to
 * connect is left out, so that the edit of a form with a hundred webhooks writes nothing for them.
 */
export async function enqueueConnect(em: EntityManager, integration: Connected): Promise<void> {
  const provider = providerNamed(integration.provider);
  if (provider?.connect || provider?.unfit) await ask(em, integration, 'connect');
}

/** As above, for everything that is connected to a form whose text, questions or address have changed. */
export async function enqueueConnectOfForm(em: EntityManager, formId: Id<'form'>): Promise<void> {
  for (const integration of await integrationsOf(em, formId)) await enqueueConnect(em, integration);
}

/** Ends the work of an integration that is being deleted, and asks for what was made outside to be taken away. */
export async function enqueueDisconnect(em: EntityManager, integration: Connected): Promise<void> {
  await em.flush();
  await em.execute(endUnfinished, [integration.id], 'run');
  if (providerNamed(integration.provider)?.disconnect) await ask(em, integration, 'disconnect');
}

/** As above, for everything that is connected to a form that is being deleted. */
export async function enqueueDisconnectOfForm(em: EntityManager, formId: Id<'form'>): Promise<void> {
  for (const integration of await integrationsOf(em, formId)) await enqueueDisconnect(em, integration);
}

const integrationsOf = (em: EntityManager, formId: Id<'form'>): Promise<Integration[]> => em.find(Integration, { formId, deletedAt: null }, { orderBy: { id: 'asc' } });

/**
 * One that is not finished is asked for once more. Its row is locked by that until the commit: whoever takes it up
 * afterwards sees what was changed, and whoever is at it already finds that it must run again.
 */
const askFor = `
  insert into jobs as j (id, organization_id, integration_id, kind, status, asked, input, progress, attempts, next_attempt_at, created_at)
  values (?, ?, ?, ?, 'waiting', 1, '{}', '{"done":0,"made":0}', 0, now(), now())
  on conflict (integration_id, kind) where status in ('waiting', 'running')
  do update set asked = j.asked + 1, attempts = 0, next_attempt_at = now()`;

/** After what is to be written of the integration: whoever concludes a job locks its integration first, too. */
async function ask(em: EntityManager, { id, organizationId }: Connected, kind: JobKind): Promise<void> {
  await em.flush();
  await em.execute(askFor, [newId('job'), organizationId, id, kind], 'run');
}

/** The claim stays: whoever is at a step of one ends it before the next job of the integration begins. */
const endUnfinished = `
  update jobs set status = 'canceled', reason = 'The integration was deleted.', next_attempt_at = null, finished_at = now()
  where integration_id = ? and status in ('waiting', 'running')`;
