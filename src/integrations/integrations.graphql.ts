import { z } from 'zod';
import { providerNamed, providers } from '../../integrations/index.ts';
import type { Provider } from '../../integrations/provider.ts';
import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import type { Json } from '../events/canonical-json.ts';
import { eventTypes } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import { formLoader, FormType } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { requireFormOwner } from '../responses/require-form-owner.ts';
import { shownDeadRedrive, type DeadRedriveInput } from './dead-redrive.ts';
import type { IntegrationsService } from './integrations.service.ts';
import { shownSettings } from './shown-settings.ts';
import { oldSecretsEndAt } from './signing-secrets.ts';
import { createSettingsInput } from './settings-input.ts';

declare module '../graphql/context.ts' {
  interface Services {
    integrations: IntegrationsService;
  }
}

const installed: readonly Provider[] = providers;

/** Integrations by id, deleted ones too; those of other organisations are not found. */
export const integrationLoader = createLoader((ids: readonly Id<'intg'>[], context) => context.services.integrations.readMany(context, ids));

const byFormLoader = createLoader((ids: readonly Id<'form'>[], context) => context.services.integrations.readByForm(context, ids));

/** `response.created` → `RESPONSE_CREATED` */
const eventTypeValues = Object.fromEntries(eventTypes.map((type) => [type.replace('.', '_').toUpperCase(), { value: type }]));

export const EventTypeType = builder.enumType('EventType', { values: eventTypeValues });

const IntegrationStatusType = builder.enumType('IntegrationStatus', {
  values: {
    ACTIVE: { value: 'active', description: 'Delivered to.' },
    FAILING: { value: 'failing', description: 'As the reason says: its receiver is down and only probed, while deliveries wait; or its settings do not fit the form any more.' },
    PAUSED: { value: 'paused', description: 'By its owner: deliveries wait.' },
    DISABLED: { value: 'disabled', description: 'Needs its owner, as the reason says: deliveries wait.' },
  } as const,
});

const DeadRedriveType = builder.objectRef<DeadRedriveInput>('DeadRedrive').implement({
  description: 'That dead deliveries are tried again by themselves, while the integration is active.',
  fields: (t) => ({
    every: t.exposeString('every', { description: 'How long after a death, such as `24h`.' }),
    times: t.exposeInt('times', { description: 'How often, unless somebody redelivers in between.' }),
  }),
});

const DeadRedriveInputType = builder.inputType('DeadRedriveInput', {
  fields: (t) => ({
    every: t.string({ required: true, description: 'From `1h` to `720h`.' }),
    times: t.int({ required: true, description: 'At most 100; 0 switches it off.' }),
  }),
});

export const IntegrationType = nodeRef('Integration', { prefix: 'intg', load: integrationLoader });
IntegrationType.implement({
  description: 'The connection of a form, or of all forms of an organisation, to an outside service.',
  fields: (t) => ({
    provider: t.exposeString('provider'),
    name: t.exposeString('name'),
    form: t.field({
      description: 'null: every form of the organisation.',
      type: FormType,
      nullable: true,
      resolve: ({ formId }, _args, context) => (formId ? formLoader(context).load(formId) : null),
    }),
    status: t.field({ type: IntegrationStatusType, resolve: ({ status, fault }) => (status === 'active' && fault ? 'failing' : status) }),
    statusReason: t.string({ nullable: true, resolve: ({ statusReason, fault }) => statusReason ?? fault ?? null }),
    resourceUrl: t.exposeString('resourceUrl', { nullable: true, description: 'Where what the provider made can be looked at, such as a spreadsheet; null where it makes nothing, or has not yet.' }),
    events: t.expose('events', { type: [EventTypeType] }),
    settings: t.field({
      description: 'Secrets read "…": they are never shown again. To those who may not write integrations, so does what is behind the path of a URL.',
      type: 'JSON',
      resolve: (integration, _args, context) => shownSettings(integration, { provider: providerNamed(integration.provider), viewer: context.viewer }) as Json,
    }),
    partner: t.field({
      description: 'Whose it is, where a partner made it; null: the organisation’s.',
      type: UserType,
      nullable: true,
      resolve: ({ partnerId }, _args, context) => (partnerId ? userLoader(context).load(partnerId) : null),
    }),
    deadRedrive: t.field({
      description: 'Whether dead deliveries are tried again by themselves; null: they are not.',
      type: DeadRedriveType,
      nullable: true,
      resolve: ({ deadRedrive }) => deadRedrive && shownDeadRedrive(deadRedrive),
    }),
    oldSecretsEndAt: t.field({
      description: 'Until when old secrets sign beside the newest, after `rotateSecret`; null: the newest signs alone, if anything is signed.',
      type: 'DateTime',
      nullable: true,
      resolve: (integration) => oldSecretsEndAt(integration, new Date()),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
    deletedAt: t.expose('deletedAt', { type: 'DateTime', nullable: true, description: 'Set when it was deleted; it is kept for the log of deliveries.' }),
  }),
});

builder.objectField(FormType, 'integrations', (t) =>
  t.field({
    description: 'What the form is connected to, oldest first; what is for every form of the organisation too.',
    type: [IntegrationType],
    resolve: async (form, _args, context) => {
      await requireFormOwner(context, { form, permission: 'integrations:read' });
      return (await byFormLoader(context).load(form.id)) ?? [];
    },
  }),
);

const ProviderType = builder.objectRef<Provider>('Provider').implement({
  description: 'What a form can be connected to.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'The member of IntegrationSettingsInput.' }),
    title: t.exposeString('title'),
    description: t.exposeString('description'),
    settingsSchema: t.field({
      description: 'JSON Schema of the settings.',
      type: 'JSON',
      resolve: ({ settings }) => z.toJSONSchema(settings, { io: 'input' }) as Json,
    }),
  }),
});

builder.queryField('providers', (t) =>
  t.field({ description: 'What can be connected.', type: [ProviderType], resolve: () => [...installed] }),
);

export const IntegrationSettingsInput = createSettingsInput(installed);

mutation('createIntegration', {
  description: 'Connects a form, or every form of the organisation, to a provider, for responses from now on.',
  input: (t) => ({
    formId: t.id({ description: 'Absent: every form of the organisation.' }),
    name: t.string({ description: 'By default the provider’s title.' }),
    events: t.field({ type: [EventTypeType], description: 'Default: what the provider says; of webhooks [RESPONSE_CREATED], of spreadsheets also RESPONSE_AMENDED and RESPONSE_DELETED, of SMS also RESPONSE_CLEARED, of rules none.' }),
    settings: t.field({ type: IntegrationSettingsInput, required: true }),
    deadRedrive: t.field({ type: DeadRedriveInputType, description: 'Default: dead deliveries wait for somebody.' }),
  }),
  payload: { integration: IntegrationType, secret: 'String' },
  run: (input, context) => context.services.integrations.create(context, input),
});

mutation('updateIntegration', {
  description: 'Changes what is given and leaves the rest.',
  input: (t) => ({
    id: t.id({ required: true }),
    name: t.string(),
    events: t.field({ type: [EventTypeType] }),
    settings: t.field({ type: IntegrationSettingsInput, description: 'Takes the place of all settings so far, but for secrets that are not given again; also mends one that is failing or disabled.' }),
    deadRedrive: t.field({ type: DeadRedriveInputType }),
    paused: t.boolean({ description: 'true: deliveries wait from now on. false: resumes, also one that is failing or disabled.' }),
  }),
  payload: { integration: IntegrationType },
  run: async (input, context) => ({ integration: await context.services.integrations.update(context, input) }),
});

mutation('rotateSecret', {
  description: 'Makes another secret for what signs its requests, such as a webhook. Each request is signed with the new one and, until their end, the old ones: receivers change over meanwhile. `secret` is shown this once.',
  input: (t) => ({
    id: t.id({ required: true }),
    keepOldFor: t.string({ description: 'How long old secrets go on, up to `168h`; those that end sooner do. Default: `24h`. `0s`: they end at once, for a secret in wrong hands. Three sign at a time, at most.' }),
  }),
  payload: { integration: IntegrationType, secret: 'String' },
  isLogged: false,
  run: (input, context) => context.services.integrations.rotateSecret(context, input),
});

mutation('deleteIntegration', {
  description: 'Disconnects: nothing more is sent, and what was pending is canceled. Answers the integration as it was.',
  input: (t) => ({ id: t.id({ required: true }) }),
  payload: { integration: IntegrationType },
  run: async ({ id }, context) => ({ integration: await context.services.integrations.delete(context, id) }),
});
