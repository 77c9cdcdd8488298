import { isId, type Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { userLoader, UserType } from './accounts.graphql.ts';
import type { ApiKeysService } from './api-keys.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    apiKeys: ApiKeysService;
  }
}

const apiKeyLoader = createLoader((ids: readonly Id<'key'>[], context) => context.services.apiKeys.readMany(context, ids));

const ApiKeyScopeType = builder.enumType('ApiKeyScope', {
  description: 'Every key lists the forms of its organisation; beyond that it may do what its scopes say.',
  values: {
    RESPONSES_WRITE: { value: 'responses:write', description: 'Submit and amend responses.' },
    RESPONSES_READ: { value: 'responses:read', description: 'Read responses and answers.' },
    FORMS_WRITE: { value: 'forms:write', description: 'Create, change and delete forms and their questions.' },
    INTEGRATIONS_WRITE: { value: 'integrations:write', description: 'Read, create, change and delete integrations.' },
    OPERATE: { value: 'operate', description: 'Read integrations and the log of deliveries, and redeliver.' },
  } as const,
});

const ApiKeyType = nodeRef('ApiKey', { prefix: 'key', load: apiKeyLoader });
ApiKeyType.implement({
  description: 'What a program proves itself with: `Authorization: Bearer fwk_…`.',
  fields: (t) => ({
    name: t.exposeString('name'),
    prefix: t.exposeString('prefix', { description: 'The first characters of the key, to tell keys apart by.' }),
    scopes: t.expose('scopes', { type: [ApiKeyScopeType] }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    createdBy: t.field({ type: UserType, nullable: true, resolve: (key, _args, context) => userLoader(context).load(key.createdById) }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime', nullable: true, description: 'null: never.' }),
    lastUsedAt: t.expose('lastUsedAt', { type: 'DateTime', nullable: true, description: 'To the minute.' }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true }),
  }),
});

const ApiKeyConnection = connectionType(ApiKeyType);

builder.queryField('apiKeys', (t) =>
  t.connection(
    {
      description: 'The API keys of the viewer’s organisation, oldest first; those that were revoked or have expired too, for thirty days unless the installation says otherwise.',
      type: ApiKeyType,
      resolve: (_root, args, context) =>
        keysetPage({
          args,
          load: (range) => context.services.apiKeys.list(context, range),
          keyOf: (key) => key.id,
          isKey: (key) => isId('key', key),
        }),
    },
    ApiKeyConnection,
  ),
);

mutation('createApiKey', {
  description: 'Makes a key for a program. `key` is shown this once; it cannot be read again.',
  input: (t) => ({
    name: t.string({ required: true, description: 'What it is for.' }),
    scopes: t.field({ type: [ApiKeyScopeType], required: true }),
    expiresAt: t.field({ type: 'DateTime', description: 'Absent: never.' }),
  }),
  payload: { apiKey: ApiKeyType, key: 'String' },
  run: (input, context) => context.services.apiKeys.create(context, input),
});

mutation('revokeApiKey', {
  description: 'Ends a key: every process refuses it within a second.',
  input: (t) => ({ id: t.id({ required: true }) }),
  payload: { apiKey: ApiKeyType },
  run: async ({ id }, context) => ({ apiKey: await context.services.apiKeys.revoke(context, id) }),
});
