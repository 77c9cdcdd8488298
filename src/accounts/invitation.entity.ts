import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { Id } from '../events/id.ts';
import type { Role } from '../graphql/viewer.ts';
import { Organization } from './organization.entity.ts';
import { User } from './user.entity.ts';

const InvitationSchema = defineEntity({
  name: 'Invitation',
  tableName: 'invitations',
  properties: {
    id: idColumn<'inv'>().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id'),
    invitedById: () => p.manyToOne(User).mapToPk().fieldNames('invited_by_id').index(),
    /** Lower case. Nobody else may accept it. */
    email: p.text(),
    role: p.text().$type<Role>(),
    /** What a partner is to be granted. */
    formIds: jsonColumn<Id<'form'>[]>(),
    /** SHA-256 of the token. */
    hash: p.text().columnType('text').collation('C').unique(),
    createdAt: timeColumn(),
    expiresAt: timeColumn(),
    acceptedAt: timeColumn().nullable(),
    revokedAt: timeColumn().nullable(),
  },
  indexes: [{ properties: ['organizationId', 'id'] }],
});

/** An offer to join an organisation, good once. */
export class Invitation extends InvitationSchema.class {}
InvitationSchema.setClass(Invitation);
