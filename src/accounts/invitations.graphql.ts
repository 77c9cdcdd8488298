import { isId, type Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { OrganizationType, userLoader, UserType } from './accounts.graphql.ts';
import type { InvitationsService } from './invitations.service.ts';
import { MemberType, RoleType } from './members.graphql.ts';

declare module '../graphql/context.ts' {
  interface Services {
    invitations: InvitationsService;
  }
}

const invitationLoader = createLoader((ids: readonly Id<'inv'>[], context) => context.services.invitations.readMany(context, ids));

export const InvitationType = nodeRef('Invitation', { prefix: 'inv', load: invitationLoader });
InvitationType.implement({
  description: 'An offer to join the organisation, good once and for seven days. Only owners see it.',
  fields: (t) => ({
    email: t.exposeString('email', { description: 'Only whoever has this address may accept it.' }),
    role: t.expose('role', { type: RoleType }),
    invitedBy: t.field({ type: UserType, nullable: true, resolve: (invitation, _args, context) => userLoader(context).load(invitation.invitedById) }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime' }),
    acceptedAt: t.expose('acceptedAt', { type: 'DateTime', nullable: true }),
    revokedAt: t.expose('revokedAt', { type: 'DateTime', nullable: true }),
  }),
});

const InvitationConnection = connectionType(InvitationType);

builder.objectField(OrganizationType, 'invitations', (t) =>
  t.connection(
    {
      description: 'Oldest first; those that were accepted or revoked, or have expired, too, for thirty days unless the installation says otherwise. Only from within it, for owners.',
      type: InvitationType,
      resolve: ({ id: organizationId }, args, context) =>
        keysetPage({
          args,
          load: (range) => context.services.invitations.list(context, { organizationId, range }),
          keyOf: (invitation) => invitation.id,
          isKey: (key) => isId('inv', key),
        }),
    },
    InvitationConnection,
  ),
);

mutation('inviteMember', {
  description: 'Makes an invitation, in place of an open one to the same address. `token` is shown this once: send it to whom you invite, who needs it for acceptInvitation or register.',
  input: (t) => ({
    email: t.string({ required: true }),
    role: t.field({ type: RoleType, required: true }),
    formIds: t.idList({ description: 'What a partner is granted.' }),
  }),
  payload: { invitation: InvitationType, token: 'String' },
  run: (input, context) => context.services.invitations.create(context, input),
});

mutation('revokeInvitation', {
  description: 'Ends an invitation that was not accepted yet.',
  input: (t) => ({ id: t.id({ required: true }) }),
  payload: { invitation: InvitationType },
  run: async ({ id }, context) => ({ invitation: await context.services.invitations.revoke(context, id) }),
});

mutation('acceptInvitation', {
  description: 'Joins the organisation of an invitation to the viewer’s e-mail address; switchOrganization leads there. Whoever has no account gives the invitation to register instead.',
  input: (t) => ({ token: t.string({ required: true }) }),
  payload: { member: MemberType },
  run: async ({ token }, context) => ({ member: await context.services.invitations.accept(context, token) }),
});
