import type { EntityManager } from '@mikro-orm/postgresql';
import { UserError } from '../user-error.ts';
import { ApiKey } from './api-key.entity.ts';
import { Invitation } from './invitation.entity.ts';
import { Membership } from './membership.entity.ts';

/**
 * Ends what somebody could do as an owner: their open invitations are revoked, and, unless they are kept, the API keys
 * they made, which they may still have. The organisation's row must be locked. Throws UserError LAST_OWNER.
 */
export async function endOwnership(
  em: EntityManager,
  { organizationId, userId }: Membership,
  { keepApiKeys, now }: { keepApiKeys: boolean | null | undefined; now: Date },
): Promise<void> {
  const others = await em.count(Membership, { organizationId, role: 'owner', userId: { $ne: userId } });
  if (others === 0) throw new UserError('LAST_OWNER', 'This is the only owner of the organisation; make somebody else an owner first.', ['id']);
  await em.nativeUpdate(Invitation, { organizationId, invitedById: userId, acceptedAt: null, revokedAt: null }, { revokedAt: now });
  if (!keepApiKeys) await em.nativeUpdate(ApiKey, { organizationId, createdById: userId, revokedAt: null }, { revokedAt: now });
}
