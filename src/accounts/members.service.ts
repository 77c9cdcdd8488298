import type { EntityManager } from '@mikro-orm/postgresql';
import type { Pool } from 'pg';
import { cancelPending } from '../deliveries/cancel-pending.ts';
import { isId, type Id } from '../events/id.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Caller } from '../graphql/context.ts';
import type { Role, Viewer } from '../graphql/viewer.ts';
import { adoptIntegrations, stopPartner } from '../integrations/partner-integrations.ts';
import { UserError } from '../user-error.ts';
import { endOwnership } from './former-owner.ts';
import { readGrantedForms } from './granted-forms-input.ts';
import { grantForms, lockOrganization } from './join-organization.ts';
import { Membership } from './membership.entity.ts';
import type { Organization } from './organization.entity.ts';
import { forbidden, isAllowed, requirePermission, requirePerson, requireWithin } from './permissions.ts';
import type { Sessions } from './sessions.ts';
import type { Standings } from './standings.ts';

export interface ChangeMemberInput {
  id: string;
  role?: Role | null | undefined;
  /** All that a partner is granted; what is not named is taken from it. */
  formIds?: readonly string[] | null | undefined;
  keepApiKeys?: boolean | null | undefined;
}

export interface RemoveMemberInput {
  id: string;
  keepApiKeys?: boolean | null | undefined;
}

export interface MembersDeps {
  pool: Pool;
  sessions: Sessions;
  standings: Standings;
  /** Tells dispatchers that an organisation's integrations have changed; best effort, must not wait or throw. */
  announceChange: (organizationId: Id<'org'>) => void;
  now: () => Date;
}

export type MembersService = ReturnType<typeof createMembersService>;

/** Who works in an organisation, and as what. */
export function createMembersService(deps: MembersDeps) {
  const { pool, sessions, standings, announceChange, now } = deps;

  /** What ended, ends in this process at once and in the others within the second. */
  const settle = async (organizationId: Id<'org'>, stopped: readonly Id<'intg'>[]): Promise<void> => {
    standings.forget();
    if (stopped.length === 0) return;
    announceChange(organizationId);
    await cancelPending(pool, stopped);
  };

  return {
    /** Changes what is given. Throws UserError LAST_OWNER rather than leave an organisation without one. */
    async change(caller: Caller, input: ChangeMemberInput): Promise<Membership> {
      requirePermission(caller, 'members:write');
      const viewer = requirePerson(caller);
      const { member, stopped } = await caller.em.fork().transactional(async (em) => {
        const organization = await lockOrganization(em, viewer.organizationId);
        await requireStillOwner(em, viewer);
        const member = await memberOf(em, { organizationId: organization.id, id: input.id });
        return { member, stopped: await applyChange(em, { organization, member, input, now: now() }) };
      });
      await settle(viewer.organizationId, stopped);
      return member;
    },

    /**
     * Ends a membership; everybody can end their own. Answers it as it was. Throws UserError LAST_OWNER rather than
     * leave an organisation without one.
     */
    async remove(caller: Caller, input: RemoveMemberInput): Promise<Membership> {
      const viewer = requirePerson(caller);
      const own = isId('mem', input.id) ? await caller.em.findOne(Membership, { id: input.id, userId: viewer.userId }) : null;
      if (!own) requirePermission(caller, 'members:write');
      const { member, stopped } = await caller.em.fork().transactional(async (em) => {
        const organization = await lockOrganization(em, own?.organizationId ?? viewer.organizationId);
        if (!own) await requireStillOwner(em, viewer);
        const member = await memberOf(em, { organizationId: organization.id, id: input.id });
        if (member.role === 'owner') await endOwnership(em, member, { keepApiKeys: input.keepApiKeys, now: now() });
        const stopped = await stopPartner(em, { organization, partnerId: member.userId, keptFormIds: [], now: now() });
        em.remove(member);
        return { member, stopped };
      });
      await settle(member.organizationId, stopped);
      return member;
    },

    /** Goes on in another organisation, in which the viewer is a member: this session, and the next that begins. Throws UserError NOT_FOUND. */
    async switchTo(caller: Caller, organizationId: string): Promise<Viewer> {
      const { credential } = requirePerson(caller);
      const isMoved = isId('org', organizationId) && (await sessions.move({ sessionId: credential.id, organizationId }));
      const viewer = isMoved ? await standings.ofSession(credential.id) : undefined;
      if (viewer) return viewer;
      throw new UserError('NOT_FOUND', 'You are not a member of an organisation with this id.', ['organizationId']);
    },

    /** A page of an organisation's members, in the order they came. */
    async list(caller: Caller, { organizationId, range }: { organizationId: Id<'org'>; range: KeysetRange }): Promise<Membership[]> {
      const viewer = requireWithin(caller, { organizationId, permission: 'members:read' });
      const { after, before, limit, reversed } = range;
      const id = { ...(after && { $gt: after as Id<'mem'> }), ...(before && { $lt: before as Id<'mem'> }) };
      return caller.em.find(
        Membership,
        { organizationId: viewer.organizationId, ...(after || before ? { id } : {}) },
        { limit, orderBy: { id: reversed ? 'desc' : 'asc' } },
      );
    },

    /** The memberships of these ids that the viewer may see: their own, and those of their organisation. */
    async readMany({ em, viewer }: Caller, ids: readonly Id<'mem'>[]): Promise<Map<Id<'mem'>, Membership>> {
      if (viewer?.credential.kind !== 'session') return new Map();
      const own = { userId: viewer.userId };
      const visible = isAllowed(viewer, 'members:read') ? [own, { organizationId: viewer.organizationId }] : [own];
      const found = await em.find(Membership, { id: { $in: [...ids] }, $or: visible });
      return new Map(found.map((member) => [member.id, member]));
    },

    /** The viewer's own memberships, the oldest first. */
    async own(caller: Caller): Promise<Membership[]> {
      const { userId } = requirePerson(caller);
      return caller.em.find(Membership, { userId }, { orderBy: { id: 'asc' } });
    },
  };
}

/** Changes that wait for each other see each other: who was demoted a moment ago decides nothing any more. */
export async function requireStillOwner(em: EntityManager, { userId, organizationId }: Viewer): Promise<void> {
  if ((await em.count(Membership, { userId, organizationId, role: 'owner' })) === 0) throw forbidden('You are not an owner of this organisation any more.');
}

async function memberOf(em: EntityManager, { organizationId, id }: { organizationId: Id<'org'>; id: string }): Promise<Membership> {
  const member = isId('mem', id) ? await em.findOne(Membership, { id, organizationId }) : null;
  if (member) return member;
  throw new UserError('NOT_FOUND', 'Your organisation has no member with this id.', ['id']);
}

/** Answers the integrations that end with it. */
async function applyChange(
  em: EntityManager,
  { organization, member, input, now }: { organization: Organization; member: Membership; input: ChangeMemberInput; now: Date },
): Promise<Id<'intg'>[]> {
  const [organizationId, partnerId] = [organization.id, member.userId];
  const role = input.role ?? member.role;
  const formIds = await readGrantedForms(em, { organizationId, role, formIds: input.formIds });
  if (member.role === 'owner' && role !== 'owner') await endOwnership(em, member, { keepApiKeys: input.keepApiKeys, now });
  member.role = role;
  if (role !== 'partner') {
    await grantForms(em, { membership: member, formIds: [] });
    await adoptIntegrations(em, { organizationId, partnerId });
    return [];
  }
  if (!input.formIds) return [];
  await grantForms(em, { membership: member, formIds });
  return stopPartner(em, { organization, partnerId, keptFormIds: formIds, now });
}
