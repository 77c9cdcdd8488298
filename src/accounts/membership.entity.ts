import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import type { Role } from '../graphql/viewer.ts';
import { Organization } from './organization.entity.ts';
import { User } from './user.entity.ts';

const MembershipSchema = defineEntity({
  name: 'Membership',
  tableName: 'memberships',
  properties: {
    id: idColumn<'mem'>().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id'),
    userId: () => p.manyToOne(User).mapToPk().fieldNames('user_id'),
    role: p.text().$type<Role>(),
    createdAt: timeColumn(),
  },
  indexes: [{ properties: ['organizationId', 'id'] }],
  uniques: [{ properties: ['userId', 'organizationId'] }],
});

/** That somebody works in an organisation, and as what. */
export class Membership extends MembershipSchema.class {}
MembershipSchema.setClass(Membership);
