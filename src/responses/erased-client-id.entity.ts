import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { idColumn } from '../columns.ts';

const ErasedClientIdSchema = defineEntity({
  name: 'ErasedClientId',
  tableName: 'erased_client_ids',
  properties: {
    formId: idColumn<'form'>().primary(),
    /** See `erasedClientIdHash`. */
    hash: p.text().collation('C').primary(),
  },
});

/** A client id whose response was erased: sent again, it must not bring the response back. */
export class ErasedClientId extends ErasedClientIdSchema.class {
  declare [PrimaryKeyProp]?: ['formId', 'hash'];
}
ErasedClientIdSchema.setClass(ErasedClientId);
