import type { EntityManager } from '@mikro-orm/postgresql';
import type { Provider } from '../../integrations/provider.ts';
import { formsWhere, reachOf } from '../accounts/reach.ts';
import { isId, type Id } from '../events/id.ts';
import { Form } from '../forms/form.entity.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UserError } from '../user-error.ts';

/** The partner who asks, if it is one. */
export function partnerOf(viewer: Viewer): Id<'usr'> | null {
  const reach = reachOf(viewer);
  return reach.kind === 'granted' ? reach.partnerId : null;
}

/** The one provider that needs nothing of the organisation's, neither its accounts nor its money. */
const partnersProvider = 'webhook';

/** Throws UserError for what a partner cannot connect. */
export function requirePartnersOwn({ formId, provider }: { formId: string | null | undefined; provider: Provider }): void {
  if (!formId) throw new UserError('INVALID_INPUT', 'As a partner, name the form: one that is granted to you.', ['formId']);
  if (provider.name === partnersProvider) return;
  throw new UserError('INVALID_INPUT', `A partner connects webhooks only, not ${provider.title}.`, ['settings', provider.name]);
}

/** The form of this id that the viewer reaches; null where none is named. Throws UserError NOT_FOUND. */
export async function ownFormId(em: EntityManager, wanted: { viewer: Viewer; formId: string | null | undefined }): Promise<Id<'form'> | null> {
  const { viewer, formId } = wanted;
  if (formId === null || formId === undefined) return null;
  if (isId('form', formId) && (await em.count(Form, { ...formsWhere(reachOf(viewer)), id: formId, deletedAt: null })) > 0) return formId;
  throw new UserError('NOT_FOUND', 'Your organisation has no form with this id.', ['formId']);
}
