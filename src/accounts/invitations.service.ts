import type { EntityManager } from '@mikro-orm/postgresql';
import { isEmailAddress } from '../email-address.ts';
import { isId, newId, type Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Caller } from '../graphql/context.ts';
import type { Role } from '../graphql/viewer.ts';
import { UserError } from '../user-error.ts';
import { readGrantedForms } from './granted-forms-input.ts';
import { Invitation } from './invitation.entity.ts';
import { joinOrganization, lockOrganization, takeInvitation } from './join-organization.ts';
import { requireStillOwner } from './members.service.ts';
import { Membership } from './membership.entity.ts';
import { requirePermission, requirePerson, requireWithin, viewerAllowed, type Person } from './permissions.ts';
import { hashOfSecret, newSecretToken } from './secret-token.ts';
import type { Standings } from './standings.ts';
import { User } from './user.entity.ts';

export interface InviteMemberInput {
  email: string;
  role: Role;
  formIds?: readonly string[] | null | undefined;
}

export type InvitationsService = ReturnType<typeof createInvitationsService>;

const lifetimeMs = 7 * 86_400_000;
const maxOpen = 200;

/** Offers to join an organisation. To send them is the inviter's own business: the token is told to nobody else. */
export function createInvitationsService({ standings, now }: { standings: Standings; now: () => Date }) {
  /** Holds the organisation, so that invitations and members change one after the other. */
  const asOwner = async <T>(caller: Caller, run: (em: EntityManager, viewer: Person) => Promise<T>): Promise<T> => {
    requirePermission(caller, 'members:write');
    const viewer = requirePerson(caller);
    return caller.em.fork().transactional(async (em) => {
      await lockOrganization(em, viewer.organizationId);
      await requireStillOwner(em, viewer);
      return run(em, viewer);
    });
  };

  return {
    /** Takes the place of an earlier one to the same address. `token` is told this once: only its hash is kept. Throws UserError. */
    async create(caller: Caller, input: InviteMemberInput): Promise<{ invitation: Invitation; token: string }> {
      const [token, createdAt] = [newSecretToken(), now()];
      const invitation = await asOwner(caller, async (em, { userId, organizationId }) => {
        const email = readEmail(input.email);
        const { role } = input;
        const formIds = await readGrantedForms(em, { organizationId, role, formIds: input.formIds });
        await refuseMember(em, { organizationId, email });
        await em.nativeUpdate(Invitation, { organizationId, email, ...open(createdAt) }, { revokedAt: createdAt });
        if ((await em.count(Invitation, { organizationId, ...open(createdAt) })) >= maxOpen) {
          throw new UserError('TOO_MANY', `At most ${maxOpen} invitations can be open at a time; revoke some.`, []);
        }
        const expiresAt = new Date(createdAt.getTime() + lifetimeMs);
        return em.create(Invitation, { id: newId('inv'), organizationId, invitedById: userId, email, role, formIds, hash: hashOfSecret(token), createdAt, expiresAt });
      });
      return { invitation, token };
    },

    /** From now on nobody can accept it. Twice is as good as once. Throws UserError NOT_FOUND, INVALID_INPUT where it was accepted. */
    revoke(caller: Caller, id: string): Promise<Invitation> {
      return asOwner(caller, async (em, { organizationId }) => {
        const invitation = isId('inv', id) ? await em.findOne(Invitation, { id, organizationId }) : null;
        if (!invitation) throw new UserError('NOT_FOUND', 'Your organisation has no invitation with this id.', ['id']);
        if (invitation.acceptedAt) throw new UserError('INVALID_INPUT', 'It has been accepted; remove the member instead.', ['id']);
        invitation.revokedAt ??= now();
        return invitation;
      });
    },

    /** Makes the viewer a member. Throws UserError: see `takeInvitation`, `joinOrganization`. */
    async accept(caller: Caller, token: string): Promise<Membership> {
      const { userId } = requirePerson(caller);
      const { email } = await caller.em.findOneOrFail(User, { id: userId });
      const member = await caller.em.fork().transactional(async (em) => {
        const { organizationId, role, formIds } = await takeInvitation(em, { token, email, path: ['token'], now: now() });
        return joinOrganization(em, { organizationId, userId, role, formIds, now: now() });
      });
      standings.forget();
      return member;
    },

    /** A page of an organisation's invitations, oldest first; what became of them too. */
    async list(caller: Caller, { organizationId, range }: { organizationId: Id<'org'>; range: KeysetRange }): Promise<Invitation[]> {
      const viewer = requireWithin(caller, { organizationId, permission: 'members:write' });
      const { after, before, limit, reversed } = range;
      const id = { ...(after && { $gt: after as Id<'inv'> }), ...(before && { $lt: before as Id<'inv'> }) };
      return caller.em.find(
        Invitation,
        { organizationId: viewer.organizationId, ...(after || before ? { id } : {}) },
        { limit, orderBy: { id: reversed ? 'desc' : 'asc' } },
      );
    },

    /** The invitations of these ids that the viewer may see. */
    async readMany(caller: Caller, ids: readonly Id<'inv'>[]): Promise<Map<Id<'inv'>, Invitation>> {
      const viewer = viewerAllowed(caller, 'members:write');
      if (!viewer) return new Map();
      const found = await caller.em.find(Invitation, { id: { $in: [...ids] }, organizationId: viewer.organizationId });
      return new Map(found.map((invitation) => [invitation.id, invitation]));
    },
  };
}

const open = (now: Date) => ({ acceptedAt: null, revokedAt: null, expiresAt: { $gt: now } });

function readEmail(text: string): string {
  const email = text.toLowerCase();
  if (isEmailAddress(email) && email.isWellFormed()) return email;
  throw new UserError('INVALID_INPUT', 'This is no e-mail address.', ['email']);
}

async function refuseMember(em: EntityManager, { organizationId, email }: { organizationId: Id<'org'>; email: string }): Promise<void> {
  const user = await em.findOne(User, { email });
  if (!user || (await em.count(Membership, { organizationId, userId: user.id })) === 0) return;
  throw new UserError('TAKEN', 'Somebody with this e-mail address is a member already; change their role with changeMember.', ['email']);
}
