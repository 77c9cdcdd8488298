import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

const OrganizationSchema = defineEntity({
  name: 'Organization',
  tableName: 'organizations',
  properties: {
    id: idColumn<'org'>().primary(),
    name: p.text(),
    /** Grows with every change of the organisation's integrations; each event carries the one it was accepted at. */
    integrationsVersion: p.integer().default(0),
    createdAt: timeColumn(),
  },
});

/** The tenant: everything belongs to exactly one. */
export class Organization extends OrganizationSchema.class {}
OrganizationSchema.setClass(Organization);
