import { raw, UniqueConstraintViolationException } from '@mikro-orm/core';
import { newId, type Id } from '../events/id.ts';
import type { Caller } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import { UserError, type Fault } from '../user-error.ts';
import { readLogin, readPassword, readRegistration, type AccountDraft, type LoginInput, type RegisterInput } from './account-input.ts';
import { joinOrganization, takeInvitation } from './join-organization.ts';
import type { LoginLimits } from './login-limits.ts';
import { Organization } from './organization.entity.ts';
import type { Passwords } from './passwords.ts';
import { isAllowed, requirePerson } from './permissions.ts';
import { Session } from './session.entity.ts';
import type { Sessions, SessionTokens } from './sessions.ts';
import type { Standings } from './standings.ts';
import { User } from './user.entity.ts';

export interface AccountsDeps {
  sessions: Sessions;
  standings: Standings;
  passwords: Passwords;
  limits: LoginLimits;
  now: () => Date;
}

export interface LoggedIn {
  token: string;
  refreshToken: string;
  user: User;
  viewer: Viewer;
}

export interface LogoutInput {
  refreshToken?: string | null | undefined;
  everywhere?: boolean | null | undefined;
}

export type AccountsService = ReturnType<typeof createAccountsService>;

/** Organisations and their users: who somebody is, and how they prove it. */
export function createAccountsService(deps: AccountsDeps) {
  const { sessions, standings, passwords, limits, now } = deps;

  const loggedIn = async (user: User, { sessionId, token, refreshToken }: SessionTokens): Promise<LoggedIn> => {
    const viewer = await standings.ofSession(sessionId);
    if (!viewer) throw new UserError('INVALID_CREDENTIALS', 'This session has just been ended; log in again.', []);
    return { user, token, refreshToken, viewer };
  };

  const open = async (user: User): Promise<LoggedIn> =>
    loggedIn(user, await sessions.open({ userId: user.id, passwordHash: user.passwordHash }));

  return {
    /**
     * Makes a user, and the organisation that they own, or the membership that they were invited to. Throws UserError,
     * TAKEN for a name that somebody else has, INVITATION_INVALID as `acceptInvitation` does.
     */
    async register(caller: Caller, input: RegisterInput): Promise<LoggedIn> {
      const draft = readRegistration(input);
      await refuseTaken(caller, draft);
      const passwordHash = await passwords.hash(input.password);
      return open(await insertAccount(caller, { draft, passwordHash, createdAt: now() }));
    },

    /**
     * Throws UserError INVALID_CREDENTIALS, which does not tell whether the account or the password is wrong, and
     * TOO_MANY, which comes for a name that nobody has as for any other.
     */
    async login(caller: Caller, input: LoginInput): Promise<LoggedIn> {
      const account = readLogin(input);
      const attempt = { name: 'email' in account ? account.email : account.username, address: caller.address };
      await limits.count(attempt);
      const user = await caller.em.findOne(User, account);
      const isRight = await passwords.isPassword(input.password, user?.passwordHash);
      if (!user || !isRight) throw new UserError('INVALID_CREDENTIALS', 'There is no account with this name and password.', []);
      await limits.forgive(attempt);
      return open(user);
    },

    /** The next tokens of a session. Throws UserError INVALID_CREDENTIALS; see `Sessions` for a token that comes twice. */
    async refresh(caller: Caller, refreshToken: string): Promise<LoggedIn> {
      const tokens = await sessions.refresh(refreshToken);
      return loggedIn(await caller.em.findOneOrFail(User, { id: tokens.userId }), tokens);
    },

    /** Ends the session of a refresh token, or else the viewer's, or all of the viewer's. Answers how many ended. */
    async logout(caller: Caller, { refreshToken, everywhere }: LogoutInput): Promise<number> {
      if (refreshToken && !everywhere) return sessions.endOfToken(refreshToken);
      const { userId, credential } = requirePerson(caller);
      return sessions.end({ userId, sessionId: everywhere ? undefined : credential.id });
    },

    /**
     * Ends every session but the one that asks: whoever knew the old password is out. Throws UserError
     * INVALID_CREDENTIALS for a wrong present password, TOO_MANY where it was guessed at too often.
     */
    async changePassword(caller: Caller, input: { currentPassword: string; newPassword: string }): Promise<User> {
      const { userId, credential } = requirePerson(caller);
      const newPassword = readPassword(input.newPassword, ['newPassword']);
      const attempt = { name: userId, address: caller.address };
      await limits.count(attempt);
      const user = await caller.em.findOneOrFail(User, { id: userId });
      const { passwordHash: before } = user;
      const wrong = () => new UserError('INVALID_CREDENTIALS', 'This is not the present password.', ['currentPassword']);
      if (!(await passwords.isPassword(input.currentPassword, before))) throw wrong();
      const after = await passwords.hash(newPassword);
      const isChanged = await caller.em.fork().transactional(async (em) => {
        const changed = await em.nativeUpdate(User, { id: userId, passwordHash: before }, { passwordHash: after });
        if (changed > 0) await em.nativeDelete(Session, { userId, id: { $ne: credential.id } });
        return changed > 0;
      });
      if (!isChanged) throw wrong(); // somebody else has just changed it
      standings.forget();
      await limits.forgive(attempt);
      return user;
    },

    /** The users of these ids that the viewer may see: themselves, and who is a member beside them; an API key sees none. */
    async readUsers({ em, viewer }: Caller, ids: readonly Id<'usr'>[]): Promise<Map<Id<'usr'>, User>> {
      if (viewer?.credential.kind !== 'session') return new Map();
      const members = { id: { $in: raw('(select user_id from memberships where organization_id = ?)', [viewer.organizationId]) } };
      const visible = isAllowed(viewer, 'members:read') ? [{ id: viewer.userId }, members] : [{ id: viewer.userId }];
      const users = await em.find(User, { id: { $in: [...ids] }, $or: visible });
      return new Map(users.map((user) => [user.id, user]));
    },

    /** The organisations of these ids that the viewer may see: those they are a member of; of an API key, its own. */
    async readOrganizations({ em, viewer }: Caller, ids: readonly Id<'org'>[]): Promise<Map<Id<'org'>, Organization>> {
      if (!viewer) return new Map();
      const joined = { $in: raw('(select organization_id from memberships where user_id = ?)', [viewer.userId]) };
      const visible = viewer.credential.kind === 'session' ? joined : viewer.organizationId;
      const organizations = await em.find(Organization, { id: { $in: [...ids] }, $and: [{ id: visible }] });
      return new Map(organizations.map((organization) => [organization.id, organization]));
    },
  };
}

/** All or nothing: where the invitation is not good, no account is left behind. */
async function insertAccount(
  caller: Caller,
  { draft, passwordHash, createdAt: now }: { draft: AccountDraft; passwordHash: string; createdAt: Date },
): Promise<User> {
  const { place, ...names } = draft;
  try {
    return await caller.em.fork().transactional(async (em) => {
      const taken = 'invitation' in place ? await takeInvitation(em, { token: place.invitation, email: names.email, path: ['invitation'], now }) : undefined;
      const organizationId = taken?.organizationId ?? newId('org');
      if ('organization' in place) em.create(Organization, { id: organizationId, name: place.organization, createdAt: now });
      const user = em.create(User, { id: newId('usr'), organizationId, ...names, passwordHash, createdAt: now });
      await em.flush();
      await joinOrganization(em, { organizationId, userId: user.id, role: taken?.role ?? 'owner', formIds: taken?.formIds ?? [], now });
      return user;
    });
  } catch (error) {
    // Somebody took the name between the look and the insert.
    if (error instanceof UniqueConstraintViolationException) throw new UserError([takenFault(constraintOf(error))]);
    throw error;
  }
}

async function refuseTaken({ em }: Caller, { username, email }: AccountDraft): Promise<void> {
  const others = await em.find(User, { $or: [{ username }, { email }] }, { limit: 2 });
  const faults: Fault[] = [];
  if (others.some((other) => other.username === username)) faults.push(takenFault('username'));
  if (others.some((other) => other.email === email)) faults.push(takenFault('email'));
  if (faults.length > 0) throw new UserError(faults);
}

const takenFault = (field: 'username' | 'email'): Fault => ({
  code: 'TAKEN',
  message: `Another account has this ${field === 'email' ? 'e-mail address' : 'username'}.`,
  path: [field],
});

function constraintOf(error: UniqueConstraintViolationException): 'username' | 'email' {
  const constraint = 'constraint' in error ? error.constraint : undefined;
  return typeof constraint === 'string' && constraint.includes('email') ? 'email' : 'username';
}
