import { defineEntity, p } from '@mikro-orm/core';
import { timeColumn } from '../columns.ts';

const LoginAttemptsSchema = defineEntity({
  name: 'LoginAttempts',
  tableName: 'login_attempts',
  properties: {
    /** A hash of the name or address, so that neither is kept. */
    key: p.text().columnType('text').collation('C').primary(),
    count: p.integer(),
    /** When counting begins anew. */
    resetsAt: timeColumn().index(),
  },
});

/** How often somebody tried to log in to an account, or from an address, in the present window of time. */
export class LoginAttempts extends LoginAttemptsSchema.class {}
LoginAttemptsSchema.setClass(LoginAttempts);
