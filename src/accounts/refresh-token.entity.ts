import { defineEntity, p } from '@mikro-orm/core';
import { timeColumn } from '../columns.ts';
import { Session } from './session.entity.ts';

const RefreshTokenSchema = defineEntity({
  name: 'RefreshToken',
  tableName: 'refresh_tokens',
  properties: {
    /** SHA-256 of the token. */
    hash: p.text().columnType('text').collation('C').primary(),
    sessionId: () => p.manyToOne(Session).mapToPk().fieldNames('session_id').index().deleteRule('cascade'),
    createdAt: timeColumn(),
    /** A token is good once; whoever comes with a used one has stolen it, or it was stolen from them. */
    usedAt: timeColumn().nullable(),
  },
});

/** A refresh token that a session was given: the newest is unused, the earlier ones are kept to know them again. */
export class RefreshToken extends RefreshTokenSchema.class {}
RefreshTokenSchema.setClass(RefreshToken);
