import type { EntityManager } from '@mikro-orm/postgresql';
import type { Organization } from '../accounts/organization.entity.ts';
import type { Id } from '../events/id.ts';
import { enqueueDisconnect } from '../jobs/enqueue-jobs.ts';
import { Integration } from './integration.entity.ts';
import { markDeleted } from './mark-deleted.ts';

/**
 * Deletes a partner's integrations on forms that it does not reach any more; answers them. They are not merely paused:
 * what waited for somebody who is gone would wait and grow for ever, and must not be sent should they come back. The
 * log of what was sent to them stays. The organisation's row must be locked.
 */
export async function stopPartner(
  em: EntityManager,
  { organization, partnerId, keptFormIds, now }: { organization: Organization; partnerId: Id<'usr'>; keptFormIds: readonly Id<'form'>[]; now: Date },
): Promise<Id<'intg'>[]> {
  const connected = await em.find(Integration, { organizationId: organization.id, partnerId, deletedAt: null });
  const found = connected.filter(({ formId }) => !formId || !keptFormIds.includes(formId));
  if (found.length > 0) organization.integrationsVersion += 1;
  for (const integration of found) {
    markDeleted(integration, now);
    await enqueueDisconnect(em, integration);
    integration.statusReason = 'The partner whose it was does not have the form any more.';
  }
  return found.map(({ id }) => id);
}

/** Lets the organisation keep what somebody connected as its partner. */
export async function adoptIntegrations(em: EntityManager, key: { organizationId: Id<'org'>; partnerId: Id<'usr'> }): Promise<void> {
  await em.nativeUpdate(Integration, key, { partnerId: null });
}
