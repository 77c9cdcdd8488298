import { LockMode } from '@mikro-orm/core';
import type { EntityManager } from '@mikro-orm/postgresql';
import { newId, type Id } from '../events/id.ts';
import { FormGrant } from '../forms/form-grant.entity.ts';
import { Form } from '../forms/form.entity.ts';
import type { Role } from '../graphql/viewer.ts';
import { UserError } from '../user-error.ts';
import { Invitation } from './invitation.entity.ts';
import { Membership } from './membership.entity.ts';
import { Organization } from './organization.entity.ts';
import { hashOfSecret } from './secret-token.ts';

export const membershipLimits = { ofOrganization: 1_000, ofUser: 100 } as const;

/**
 * Holds an organisation's row until the transaction ends. Whatever changes who is a member, and as what, takes it first:
 * so these changes follow each other, and each sees what the one before left.
 */
export const lockOrganization = (em: EntityManager, id: Id<'org'>): Promise<Organization> =>
  em.findOneOrFail(Organization, { id }, { lockMode: LockMode.PESSIMISTIC_WRITE });

/**
 * Uses an invitation up. Throws UserError INVITATION_INVALID at `path`, the same for a token that is none, was used or
 * revoked, has expired, or is for another e-mail address: who tries tokens learns nothing from it.
 */
export async function takeInvitation(
  em: EntityManager,
  { token, email, path, now }: { token: string; email: string; path: readonly string[]; now: Date },
): Promise<Invitation> {
  const hash = hashOfSecret(token);
  const seen = await em.findOne(Invitation, { hash });
  if (seen) await lockOrganization(em, seen.organizationId);
  const invitation = await em.findOne(Invitation, { hash, email, acceptedAt: null, revokedAt: null, expiresAt: { $gt: now } }, { refresh: true });
  if (!invitation) {
    const message = 'This is no invitation of yours: it was used or revoked, has expired, or is for another e-mail address. Ask for a new one.';
    throw new UserError('INVITATION_INVALID', message, path);
  }
  invitation.acceptedAt = now;
  return invitation;
}

export interface Joining {
  organizationId: Id<'org'>;
  userId: Id<'usr'>;
  role: Role;
  /** What a partner is granted; forms that are there no more are left out. */
  formIds: readonly Id<'form'>[];
  now: Date;
}

/** Makes somebody a member. Throws UserError TAKEN where they are one, TOO_MANY. */
export async function joinOrganization(em: EntityManager, { organizationId, userId, role, formIds, now }: Joining): Promise<Membership> {
  if ((await em.count(Membership, { organizationId, userId })) > 0) throw new UserError('TAKEN', 'You are a member of this organisation already.', []);
  if ((await em.count(Membership, { organizationId })) >= membershipLimits.ofOrganization) {
    throw new UserError('TOO_MANY', `An organisation has at most ${membershipLimits.ofOrganization} members.`, []);
  }
  if ((await em.count(Membership, { userId })) >= membershipLimits.ofUser) {
    throw new UserError('TOO_MANY', `Somebody can be a member of ${membershipLimits.ofUser} organisations at most; leave one first.`, []);
  }
  const membership = em.create(Membership, { id: newId('mem'), organizationId, userId, role, createdAt: now });
  await em.flush();
  await grantForms(em, { membership, formIds });
  return membership;
}

/** Lets a member reach these forms, and no others, as far as they are the organisation's. Of use to partners only. */
export async function grantForms(em: EntityManager, { membership, formIds }: { membership: Membership; formIds: readonly Id<'form'>[] }): Promise<void> {
  const { id: membershipId, organizationId } = membership;
  await em.nativeDelete(FormGrant, { membershipId });
  if (formIds.length === 0) return;
  const forms = await em.find(Form, { id: { $in: [...formIds] }, organizationId, deletedAt: null }, { fields: ['id'] });
  if (forms.length > 0) await em.insertMany(FormGrant, forms.map(({ id: formId }) => ({ membershipId, formId })));
}
