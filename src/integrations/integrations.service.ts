import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import type { Provider } from '../../integrations/provider.ts';
import { Organization } from '../accounts/organization.entity.ts';
import { cancelPending } from '../deliveries/cancel-pending.ts';
import { makePendingDue } from '../deliveries/make-pending-due.ts';
import { isId, newId, type Id } from '../events/id.ts';
import { requirePermission, viewerAllowed } from '../accounts/permissions.ts';
import { integrationsWhere, reachOf } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { enqueueConnect, enqueueDisconnect } from '../jobs/enqueue-jobs.ts';
import type { Log } from '../log.ts';
import { UserError } from '../user-error.ts';
import {
  readEvents,
  readName,
  readSettings,
  type CreateIntegrationInput,
  type SettingsDeps,
  type UpdateIntegrationInput,
} from './integration-input.ts';
import { fitToForm, refuseTooManyChecks, reviseForm } from './fit-to-form.ts';
import { Integration } from './integration.entity.ts';
import { askFor } from './ask-for.ts';
import { readDeadRedrive } from './dead-redrive.ts';
import { laterThan, markDeleted } from './mark-deleted.ts';
import { ownFormId, partnerOf, requirePartnersOwn } from './own-form.ts';
import { readKeepOldFor, rotateSecret, type RotateSecretInput } from './rotate-secret.ts';
import { openSettings, sealSecrets, sealSettings } from './sealed-settings.ts';
import { oldSecretsEndAt } from './signing-secrets.ts';

export interface IntegrationsDeps extends SettingsDeps {
  pool: Pool;
  /** Tells dispatchers that an organisation's integrations have changed; best effort, must not wait or throw. */
  announceChange: (organizationId: Id<'org'>) => void;
  log: Log;
  now: () => Date;
}

export type IntegrationsService = ReturnType<typeof createIntegrationsService>;

/** What an organisation has connected. Everything here is for its members; a partner sees and changes its own. */
export function createIntegrationsService(deps: IntegrationsDeps) {
  const { pool, announceChange, log, now } = deps;

  return {
    /**
     * Connects a form, or all forms, to a provider: it gets the responses accepted from now on. `secret` is what the
     * provider made to sign with, told this once. What a partner connects is its own: a webhook on a form granted to it.
     * Throws UserError.
     */
    async create(caller: Caller, input: CreateIntegrationInput): Promise<{ integration: Integration; secret: string | null }> {
      const viewer = requirePermission(caller, 'integrations:write');
      const { provider, settings } = readSettings(deps, input.settings);
      const partnerId = partnerOf(viewer);
      if (partnerId) requirePartnersOwn({ formId: input.formId, provider });
      requireNamedForm(provider, input.formId);
      const name = readName(input.name ?? provider.title);
      const events = readEvents(provider, input.events);
      const deadRedrive = input.deadRedrive ? readDeadRedrive(input.deadRedrive) : null;
      const secret = provider.createSecret?.() ?? null;
      const secrets = secret === null ? [] : [secret];
      const at = now();
      const integration = await changeIntegrations(caller, viewer, async (em, sinceVersion) => {
        const formId = await ownFormId(em, { viewer, formId: input.formId });
        await refuseTooMany(em, { viewer, formId });
        if (partnerId) await refuseTooManyOfPartner(em, { partnerId, formId });
        if (formId) await refuseTooManyChecks(em, { formId, provider });
        if (formId) await fitToForm(em, { formId, provider, settings });
        const id = newId('intg');
        const created = em.create(Integration, {
          id,
          organizationId: viewer.organizationId,
          formId, partnerId,
          provider: provider.name,
          status: 'active',
          statusReason: null,
          name, events, sinceVersion,
          pastEvents: [],
          deadRedrive,
          settings: sealSettings(provider, { id, settings }, deps.sealer),
          secrets: sealSecrets({ id, secrets }, deps.sealer),
          secretEnds: [],
          createdAt: at,
          updatedAt: at,
        });
        await enqueueConnect(em, created);
        return created;
      });
      announceChange(viewer.organizationId);
      return { integration, secret };
    },

    /**
     * Changes what is given. Resuming, and new settings for one that was failing or disabled, make it active, and what
     * waits for it due at once; one that is paused stays so until it is resumed. Throws UserError.
     */
    async update(caller: Caller, input: UpdateIntegrationInput): Promise<Integration> {
      const viewer = requirePermission(caller, 'integrations:write');
      const integration = await changeIntegrations(caller, viewer, async (em, version) => {
        const found = await ownIntegration(em, { viewer, id: input.id });
        const settings = applyChange(found, { input, version, deps });
        await reviseForm(em, { integration: found, provider: deps.providerNamed(found.provider), settings });
        found.updatedAt = laterThan(found.updatedAt, now());
        await enqueueConnect(em, found);
        return found;
      });
      announceChange(viewer.organizationId);
      if (isRestart(input) && integration.status === 'active') await makePendingDue(pool, integration.id);
      return integration;
    },

    /**
     * Makes another signing key, told this once, which signs from now on; the ones so far do beside it until their ends.
     * Twice is two rotations. Throws UserError.
     */
    async rotateSecret(caller: Caller, { id, keepOldFor }: RotateSecretInput): Promise<{ integration: Integration; secret: string }> {
      const viewer = requirePermission(caller, 'integrations:write');
      const keepOldForMs = readKeepOldFor(keepOldFor);
      const rotated = await changeIntegrations(caller, viewer, async (em) => {
        const integration = await ownIntegration(em, { viewer, id });
        const provider = deps.providerNamed(integration.provider) ?? missing(integration);
        const secret = rotateSecret(integration, { provider, sealer: deps.sealer, keepOldForMs, at: now() });
        integration.updatedAt = laterThan(integration.updatedAt, now());
        await enqueueConnect(em, integration);
        return { integration, secret };
      });
      announceChange(viewer.organizationId);
      logRotation(log, { viewer, integration: rotated.integration, at: now() });
      return rotated;
    },

    /** Disconnects: nothing more is sent, and what was pending is canceled. Its deliveries stay readable. */
    async delete(caller: Caller, id: string): Promise<Integration> {
      const viewer = requirePermission(caller, 'integrations:write');
      const integration = await changeIntegrations(caller, viewer, async (em) => {
        const found = await ownIntegration(em, { viewer, id });
        markDeleted(found, now());
        await reviseForm(em, { integration: found, provider: deps.providerNamed(found.provider) });
        await enqueueDisconnect(em, found);
        return found;
      });
      announceChange(viewer.organizationId);
      await cancelPending(pool, [integration.id]);
      return integration;
    },

    /** Those of these ids that the viewer reaches, deleted ones too: their deliveries name them. */
    async readMany(caller: Caller, ids: readonly Id<'intg'>[]): Promise<Map<Id<'intg'>, Integration>> {
      const viewer = viewerAllowed(caller, 'integrations:read');
      if (!viewer) return new Map();
      const found = await caller.em.find(Integration, { ...integrationsWhere(reachOf(viewer)), id: { $in: [...ids] } });
      return new Map(found.map((integration) => [integration.id, integration]));
    },

    /** What each of the forms is connected to, oldest first; what is for all forms of the organisation is in each. */
    async readByForm(caller: Caller, formIds: readonly Id<'form'>[]): Promise<Map<Id<'form'>, Integration[]>> {
      const viewer = viewerAllowed(caller, 'integrations:read');
      if (!viewer) return new Map();
      const found = await caller.em.find(
        Integration,
        { ...integrationsWhere(reachOf(viewer)), deletedAt: null, $or: [{ formId: { $in: [...formIds] } }, { formId: null }] },
        { orderBy: { id: 'asc' } },
      );
      return new Map(formIds.map((formId) => [formId, found.filter((one) => !one.formId || one.formId === formId)]));
    },
  };
}

/**
 * Runs one change of an organisation's integrations in a transaction that raises their version. The organisation's row
 * is held until the commit: changes follow each other, and an event has either seen all of one or nothing.
 */
function changeIntegrations<Result>(caller: Caller, viewer: Viewer, change: (em: EntityManager, version: number) => Promise<Result>): Promise<Result> {
  return caller.em.fork().transactional(async (em) => {
    const organization = await em.findOneOrFail(Organization, { id: viewer.organizationId }, { lockMode: LockMode.PESSIMISTIC_WRITE });
    organization.integrationsVersion += 1;
    return change(em, organization.integrationsVersion);
  });
}

/** Integrations that one response can go to; each costs a delivery, a lane and sockets of its own. */
const maxPerForm = 100;

async function refuseTooMany(em: EntityManager, wanted: { viewer: Viewer; formId: Id<'form'> | null }): Promise<void> {
  const { viewer, formId } = wanted;
  const count = await em.count(Integration, { organizationId: viewer.organizationId, deletedAt: null, $or: [{ formId }, { formId: null }] });
  if (count < maxPerForm) return;
  throw new UserError('TOO_MANY', `A form has ${maxPerForm} integrations at most, those for all forms included. Delete one first.`, ['formId']);
}

/** So that one partner does not take the places of all others. */
const maxPerFormOfPartner = 10;

async function refuseTooManyOfPartner(em: EntityManager, wanted: { partnerId: Id<'usr'>; formId: Id<'form'> | null }): Promise<void> {
  if ((await em.count(Integration, { ...wanted, deletedAt: null })) < maxPerFormOfPartner) return;
  throw new UserError('TOO_MANY', `A partner has at most ${maxPerFormOfPartner} webhooks on a form. Delete one first.`, ['formId']);
}

function requireNamedForm(provider: Provider, formId: string | null | undefined): void {
  if (formId || !(provider.needsForm || provider.prepareCheck)) return;
  throw new UserError('INVALID_INPUT', `Name the form: ${provider.title} is for one form, whose questions its settings speak of.`, ['formId']);
}

async function ownIntegration(em: EntityManager, wanted: { viewer: Viewer; id: string }): Promise<Integration> {
  const { id, viewer } = wanted;
  const found = isId('intg', id) ? await em.findOne(Integration, { ...integrationsWhere(reachOf(viewer)), id, deletedAt: null }) : null;
  if (found) return found;
  throw new UserError('NOT_FOUND', 'Your organisation has no integration with this id.', ['id']);
}

/** Answers the new settings, if there are any. */
function applyChange(integration: Integration, { input, version, deps }: { input: UpdateIntegrationInput; version: number; deps: SettingsDeps }): unknown {
  const settings = input.settings ? newSettings(integration, { input: input.settings, deps }) : undefined;
  if (typeof input.name === 'string') integration.name = readName(input.name);
  if (input.events) askFor(integration, { events: readEvents(deps.providerNamed(integration.provider) ?? missing(integration), input.events), version });
  if (settings) integration.settings = settings.sealed;
  if (input.deadRedrive) integration.deadRedrive = readDeadRedrive(input.deadRedrive);
  if (input.paused === true) setStatus(integration, 'paused');
  else if (input.paused === false || (input.settings && integration.status !== 'paused')) setStatus(integration, 'active');
  return settings?.parsed;
}

function missing({ provider }: Integration): never {
  throw new UserError('INVALID_INPUT', `The provider ${provider} is not installed any more; its integrations can be paused and deleted.`, ['id']);
}

function newSettings(
  integration: Integration,
  { input, deps }: { input: Record<string, unknown>; deps: SettingsDeps },
): { parsed: unknown; sealed: unknown } {
  const known = deps.providerNamed(integration.provider);
  const opened = known && readableSettings(known, integration, deps.sealer);
  const { provider, settings } = readSettings(deps, input, opened);
  if (provider.name === integration.provider) return { parsed: settings, sealed: sealSettings(provider, { id: integration.id, settings }, deps.sealer) };
  const message = `This integration is a ${integration.provider}; to connect something else, create another one.`;
  throw new UserError('INVALID_INPUT', message, ['settings', provider.name]);
}

/** Undefined where no key opens them: new settings then have to say everything, and take their place. */
function readableSettings(provider: Provider, { id, settings }: Integration, sealer: SettingsDeps['sealer']): unknown {
  try {
    return openSettings(provider, { id, settings, secrets: [] }, sealer).settings;
  } catch {
    return undefined;
  }
}

/** Whoever finds requests refused, or a secret in wrong hands, looks for it. */
function logRotation(log: Log, { viewer, integration, at }: { viewer: Viewer; integration: Integration; at: Date }): void {
  const { userId, credential } = viewer;
  log.info({ integrationId: integration.id, userId, by: credential.kind, oldSecretsEndAt: oldSecretsEndAt(integration, at) }, 'secret.rotated');
}

function setStatus(integration: Integration, status: 'active' | 'paused'): void {
  integration.status = status;
  integration.statusReason = null;
}

/** Whether a change may be what pending deliveries were waiting for. */
const isRestart = (input: UpdateIntegrationInput): boolean => input.paused === false || Boolean(input.settings);
