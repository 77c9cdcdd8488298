import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { FormShape, Provider } from '../../integrations/provider.ts';
import { User } from '../accounts/user.entity.ts';
import type { Id } from '../events/id.ts';
import { FormVersion } from '../forms/form-version.entity.ts';
import { Form } from '../forms/form.entity.ts';
import { UserError } from '../user-error.ts';
import { checksResponses } from './checks-responses.ts';
import { shapeOf } from './form-shape.ts';
import { Integration } from './integration.entity.ts';

/**
 * Holds the settings of a new integration against its form. The form's row is held until the commit, so that it cannot
 * change unseen in between; responses that were checked without the integration are checked again. Throws UserError with every fault.
 */
export async function fitToForm(em: EntityManager, wanted: { formId: Id<'form'>; provider: Provider; settings: unknown }): Promise<void> {
  const { formId, provider, settings } = wanted;
  if (!provider.unfit && !provider.prepareCheck) return;
  const form = await lockForm(em, formId);
  refuseUnfit(provider, { settings, shape: await readShape(em, form) });
  if (provider.prepareCheck) form.intakeVersion += 1;
}

/** What one response can be told of must fit into its event, and each check takes time of the submitting call. */
const maxChecking = 5;

/** Throws UserError where a form has as many integrations that check its responses as it can have of one kind. */
export async function refuseTooManyChecks(em: EntityManager, { formId, provider }: { formId: Id<'form'>; provider: Provider }): Promise<void> {
  if (!provider.prepareCheck || (await em.count(Integration, { formId, provider: provider.name, deletedAt: null })) < maxChecking) return;
  throw new UserError('TOO_MANY', `A form has at most ${maxChecking} integrations of the kind ${provider.title}. Change or delete one.`, ['formId']);
}

/** `fitToForm` for one that is changed or deleted: `settings` are its new ones, undefined where they stay. */
export async function reviseForm(
  em: EntityManager,
  change: { integration: Integration; provider: Provider | undefined; settings?: unknown },
): Promise<void> {
  const { integration, provider, settings } = change;
  const { formId } = integration;
  if (formId && provider && settings !== undefined) await fitToForm(em, { formId, provider, settings });
  else if (formId && checksResponses(provider, integration)) (await lockForm(em, formId)).intakeVersion += 1;
}

/** A deleted form too: what it was connected to can still be changed and deleted. */
const lockForm = (em: EntityManager, id: Id<'form'>): Promise<Form> => em.findOneOrFail(Form, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });

async function readShape(em: EntityManager, { id, version, email, ownerId }: Form): Promise<FormShape> {
  const { definition } = await em.findOneOrFail(FormVersion, { formId: id, number: version });
  return shapeOf({ id, version, definition, email: email ?? (await em.findOneOrFail(User, { id: ownerId })).email });
}

/** Throws UserError with every fault of settings that do not fit a form. */
export function refuseUnfit(provider: Provider, { settings, shape }: { settings: unknown; shape: FormShape }): void {
  const faults = provider.unfit?.(settings, shape) ?? [];
  if (faults.length === 0) return;
  throw new UserError(faults.map(({ message, path }) => ({ code: 'INVALID_INPUT', message, path: ['settings', provider.name, ...path] })));
}
