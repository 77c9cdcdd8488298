import { UniqueConstraintViolationException } from '@mikro-orm/core';
import { newId, type Id } from '../events/id.ts';
import type { Caller } from '../graphql/context.ts';
import { UserError, type Fault } from '../user-error.ts';
import type { AccessTokens } from './access-tokens.ts';
import { readLogin, readRegistration, type AccountDraft, type LoginInput, type RegisterInput } from './account-input.ts';
import { Organization } from './organization.entity.ts';
import type { Passwords } from './passwords.ts';
import { User } from './user.entity.ts';

export interface AccountsDeps {
  tokens: AccessTokens;
  passwords: Passwords;
  now: () => Date;
}

export interface LoggedIn {
  token: string;
  user: User;
}

export type AccountsService = ReturnType<typeof createAccountsService>;

/** Organisations and their users: who somebody is, and how they prove it. */
export function createAccountsService(deps: AccountsDeps) {
  const { tokens, passwords, now } = deps;

  const loggedIn = async (user: User): Promise<LoggedIn> => ({
    user,
    token: await tokens.sign({ userId: user.id, organizationId: user.organizationId }),
  });

  return {
    /** Makes a user and the organisation they work in. Throws UserError, TAKEN for a name that somebody else has. */
    async register(caller: Caller, input: RegisterInput): Promise<LoggedIn> {
      const draft = readRegistration(input);
      await refuseTaken(caller, draft);
      const passwordHash = await passwords.hash(input.password);
      return loggedIn(await insertAccount(caller, { draft, passwordHash, createdAt: now() }));
    },

    /** Throws UserError INVALID_CREDENTIALS, which does not tell whether the account or the password is wrong. */
    async login(caller: Caller, input: LoginInput): Promise<LoggedIn> {
      const user = await caller.em.findOne(User, readLogin(input));
      const isRight = await passwords.isPassword(input.password, user?.passwordHash);
      if (user && isRight) return loggedIn(user);
      throw new UserError('INVALID_CREDENTIALS', 'There is no account with this name and password.', []);
    },

    /** The users of these ids that the viewer may see: those of their own organisation. */
    async readUsers({ em, viewer }: Caller, ids: readonly Id<'usr'>[]): Promise<Map<Id<'usr'>, User>> {
      if (!viewer) return new Map();
      const users = await em.find(User, { id: { $in: [...ids] }, organizationId: viewer.organizationId });
      return new Map(users.map((user) => [user.id, user]));
    },

    /** The organisations of these ids that the viewer may see: their own. */
    async readOrganizations({ em, viewer }: Caller, ids: readonly Id<'org'>[]): Promise<Map<Id<'org'>, Organization>> {
      if (!viewer || !ids.includes(viewer.organizationId)) return new Map();
      const organization = await em.findOne(Organization, { id: viewer.organizationId });
      return new Map(organization ? [[organization.id, organization]] : []);
    },
  };
}

async function insertAccount(
  { em }: Caller,
  { draft, passwordHash, createdAt }: { draft: AccountDraft; passwordHash: string; createdAt: Date },
): Promise<User> {
  const { username, email, mobile } = draft;
  const organization = em.create(Organization, { id: newId('org'), name: draft.organization, createdAt });
  const user = em.create(User, { id: newId('usr'), organizationId: organization.id, username, email, mobile, passwordHash, createdAt });
  try {
    await em.flush();
    return user;
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
