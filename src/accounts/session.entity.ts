import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import { Organization } from './organization.entity.ts';
import { User } from './user.entity.ts';

const SessionSchema = defineEntity({
  name: 'Session',
  tableName: 'sessions',
  properties: {
    id: idColumn<'ses'>().primary(),
    userId: () => p.manyToOne(User).mapToPk().fieldNames('user_id').index(),
    /** In which it works now; whether its user is still a member there is for the membership to say. */
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id'),
    createdAt: timeColumn(),
    /** Moves on with every refresh. */
    expiresAt: timeColumn().index(),
  },
});

/** One log-in and all that came of it: its access tokens are good while this row is there. */
export class Session extends SessionSchema.class {}
SessionSchema.setClass(Session);
