import { isId, type Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { organizationLoader, OrganizationType, userLoader, UserType } from './accounts.graphql.ts';
import type { MembersService } from './members.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    members: MembersService;
  }
}

const memberLoader = createLoader((ids: readonly Id<'mem'>[], context) => context.services.members.readMany(context, ids));

export const RoleType = builder.enumType('Role', {
  description: 'What a member may do in the organisation.',
  values: {
    OWNER: { value: 'owner', description: 'Everything, members and API keys too.' },
    EDITOR: { value: 'editor', description: 'Reads and changes forms, responses and integrations; redelivers.' },
    VIEWER: { value: 'viewer', description: 'Reads all that, but for the secrets in settings of integrations.' },
    PARTNER: { value: 'partner', description: 'Sees the forms granted to it, without responses, and connects webhooks of its own to them.' },
  } as const,
});

export const MemberType = nodeRef('Member', { prefix: 'mem', load: memberLoader });
MemberType.implement({
  description: 'That somebody works in an organisation, and as what.',
  fields: (t) => ({
    role: t.expose('role', { type: RoleType }),
    user: t.field({
      description: 'null once the member is removed.',
      type: UserType,
      nullable: true,
      resolve: (member, _args, context) => userLoader(context).load(member.userId),
    }),
    organization: t.field({
      description: 'null once the member is removed.',
      type: OrganizationType,
      nullable: true,
      resolve: (member, _args, context) => organizationLoader(context).load(member.organizationId),
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const MemberConnection = connectionType(MemberType);

builder.objectField(OrganizationType, 'members', (t) =>
  t.connection(
    {
      description: 'Who works in it, in the order they came. Only from within it, and not for partners.',
      type: MemberType,
      resolve: ({ id: organizationId }, args, context) =>
        keysetPage({
          args,
          load: (range) => context.services.members.list(context, { organizationId, range }),
          keyOf: (member) => member.id,
          isKey: (key) => isId('mem', key),
        }),
    },
    MemberConnection,
  ),
);

builder.objectField(UserType, 'memberships', (t) =>
  t.field({
    description: 'Where one works, and as what; null for others than oneself.',
    type: [MemberType],
    nullable: true,
    resolve: ({ id }, _args, context) => (id === context.viewer?.userId ? context.services.members.own(context) : null),
  }),
);

mutation('switchOrganization', {
  description: 'Lets the session of the call go on in another organisation; its tokens stay good. The next log-in begins there.',
  input: (t) => ({ organizationId: t.id({ required: true }) }),
  payload: { user: UserType, organization: OrganizationType },
  run: async ({ organizationId }, context) => {
    const viewer = await context.services.members.switchTo(context, organizationId);
    context.logIn(viewer);
    const [user, organization] = await Promise.all([userLoader(context).load(viewer.userId), organizationLoader(context).load(viewer.organizationId)]);
    return { user: user ?? null, organization: organization ?? null };
  },
});

const keepApiKeys = 'Of an owner who is one no more, or is removed: true lets the API keys they made go on working. Otherwise these are revoked.';

mutation('changeMember', {
  description: 'Changes what a member is, within a second everywhere. The last owner of an organisation stays one.',
  input: (t) => ({
    id: t.id({ required: true }),
    role: t.field({ type: RoleType }),
    formIds: t.idList({ description: 'All that a partner is granted. Its webhooks on forms that are not among them are deleted.' }),
    keepApiKeys: t.boolean({ description: keepApiKeys }),
  }),
  payload: { member: MemberType },
  run: async (input, context) => ({ member: await context.services.members.change(context, input) }),
});

mutation('removeMember', {
  description: 'Ends a membership, within a second everywhere, and deletes a partner’s webhooks. Everybody may end their own. The last owner of an organisation stays. Answers the member as it was.',
  input: (t) => ({
    id: t.id({ required: true }),
    keepApiKeys: t.boolean({ description: keepApiKeys }),
  }),
  payload: { member: MemberType },
  run: async (input, context) => ({ member: await context.services.members.remove(context, input) }),
});
