import type { Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation, payloadType } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import type { AccountsService, LoggedIn } from './accounts.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    accounts: AccountsService;
  }
}

/** Organisations by id; those the viewer is no member of are not found. */
export const organizationLoader = createLoader((ids: readonly Id<'org'>[], context) =>
  context.services.accounts.readOrganizations(context, ids),
);

/** Users by id; found are the viewer and, for those who may, the members beside them. */
export const userLoader = createLoader((ids: readonly Id<'usr'>[], context) => context.services.accounts.readUsers(context, ids));

export const OrganizationType = nodeRef('Organization', { prefix: 'org', load: organizationLoader });
OrganizationType.implement({
  description: 'The tenant: everything belongs to exactly one.',
  fields: (t) => ({
    name: t.exposeString('name'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

export const UserType = nodeRef('User', { prefix: 'usr', load: userLoader });
UserType.implement({
  description: 'Somebody who works in an organisation.',
  fields: (t) => ({
    username: t.exposeString('username'),
    email: t.exposeString('email'),
    mobile: t.exposeString('mobile', { nullable: true, description: 'In E.164.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    organization: t.field({
      description: 'In which one works now: of those one is a member of, the one that the session is in.',
      type: OrganizationType,
      nullable: true,
      resolve: (_user, _args, context) => context.viewer && organizationLoader(context).load(context.viewer.organizationId),
    }),
  }),
});

builder.queryField('me', (t) =>
  t.field({
    description: 'Who is logged in; null where nobody is, and for API keys.',
    type: UserType,
    nullable: true,
    resolve: (_root, _args, context) => context.viewer && userLoader(context).load(context.viewer.userId),
  }),
);

builder.queryField('organization', (t) =>
  t.field({
    description: 'In which the viewer works now; null where that is none.',
    type: OrganizationType,
    nullable: true,
    resolve: (_root, _args, context) => context.viewer && organizationLoader(context).load(context.viewer.organizationId),
  }),
);

const AuthPayload = payloadType('AuthPayload', { token: 'String', refreshToken: 'String', user: UserType });

function asViewer(context: Context, loggedIn: LoggedIn): LoggedIn {
  context.logIn(loggedIn.viewer);
  return loggedIn;
}

mutation('register', {
  description: 'Makes an account and the organisation that it owns, or accepts an invitation, and logs it in.',
  input: (t) => ({
    username: t.string({ required: true, description: '3 to 64 of a–z, 0–9, dot, dash and underscore; case does not matter.' }),
    email: t.string({ required: true }),
    password: t.string({ required: true, description: '8 to 200 characters.' }),
    mobile: t.string({ description: 'With + and the country.' }),
    organization: t.string({ description: 'Name of the organisation; by default the username.' }),
    invitation: t.string({ description: 'Token of an invitation to this e-mail address: joins its organisation instead of making one.' }),
  }),
  payload: AuthPayload,
  run: async (input, context) => asViewer(context, await context.services.accounts.register(context, input)),
});

mutation('login', {
  description: 'Answers a token that is good for one hour, and a refresh token that gets the next ones. Ten attempts for a name, and a hundred from an address, are possible in 15 minutes.',
  input: (t) => ({
    username: t.string({ description: 'Username or e-mail address. Give this or `email`.' }),
    email: t.string(),
    password: t.string({ required: true }),
  }),
  payload: AuthPayload,
  run: async (input, context) => asViewer(context, await context.services.accounts.login(context, input)),
});

mutation('refreshSession', {
  description: 'Answers the next token and the next refresh token. A refresh token is good once, for 30 days; if one comes a second time, its session ends. Send it without the header Authorization where the token has expired.',
  input: (t) => ({ refreshToken: t.string({ required: true }) }),
  payload: AuthPayload,
  isLogged: false,
  run: async ({ refreshToken }, context) => asViewer(context, await context.services.accounts.refresh(context, refreshToken)),
});

mutation('logout', {
  description: 'Ends the session of the call: its token and its refresh token are good for nothing within a second.',
  input: (t) => ({
    refreshToken: t.string({ description: 'Ends the session of this token instead; the call needs no other then.' }),
    everywhere: t.boolean({ description: 'true: ends all sessions of the user.' }),
  }),
  payload: { ended: 'Int' },
  run: async (input, context) => ({ ended: await context.services.accounts.logout(context, input) }),
});

mutation('changePassword', {
  description: 'Changes the password, and ends all other sessions of the user.',
  input: (t) => ({
    currentPassword: t.string({ required: true }),
    newPassword: t.string({ required: true, description: '8 to 200 characters.' }),
  }),
  payload: { user: UserType },
  run: async (input, context) => ({ user: await context.services.accounts.changePassword(context, input) }),
});
