import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import { Organization } from './organization.entity.ts';

const UserSchema = defineEntity({
  name: 'User',
  tableName: 'users',
  properties: {
    id: idColumn<'usr'>().primary(),
    /** In which they worked last: where a log-in begins, while they are a member. */
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id').index(),
    /** Lower case, as is `email`: both name one account whatever the case they are typed in. */
    username: p.text().unique(),
    email: p.text().unique(),
    mobile: p.text().nullable(),
    /** argon2id, in PHC form. */
    passwordHash: p.text(),
    createdAt: timeColumn(),
  },
});

export class User extends UserSchema.class {}
UserSchema.setClass(User);
