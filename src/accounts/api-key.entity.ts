import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { Scope } from '../graphql/viewer.ts';
import { Organization } from './organization.entity.ts';
import { User } from './user.entity.ts';

const ApiKeySchema = defineEntity({
  name: 'ApiKey',
  tableName: 'api_keys',
  properties: {
    id: idColumn<'key'>().primary(),
    organizationId: () => p.manyToOne(Organization).mapToPk().fieldNames('organization_id'),
    createdById: () => p.manyToOne(User).mapToPk().fieldNames('created_by_id').index(),
    name: p.text(),
    /** The key's first characters, to tell keys apart by. */
    prefix: p.text(),
    /** SHA-256 of the key. */
    hash: p.text().columnType('text').collation('C').unique(),
    scopes: jsonColumn<Scope[]>(),
    createdAt: timeColumn(),
    expiresAt: timeColumn().nullable(),
    /** To the minute: a key in use is not written at each call. */
    lastUsedAt: timeColumn().nullable(),
    revokedAt: timeColumn().nullable(),
  },
  indexes: [{ properties: ['organizationId', 'id'] }],
});

/** What a program proves itself with. */
export class ApiKey extends ApiKeySchema.class {}
ApiKeySchema.setClass(ApiKey);
