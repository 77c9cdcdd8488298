import { defineEntity, p } from '@mikro-orm/core';
import { idColumn } from '../columns.ts';

const LedgerCounterSchema = defineEntity({
  name: 'LedgerCounter',
  tableName: 'ledger_counters',
  properties: {
    integrationId: idColumn<'intg'>().primary(),
    nextPlace: p.integer(),
  },
});

/** The next free place of an integration's ledger; its lock puts those who reserve places one behind the other. */
export class LedgerCounter extends LedgerCounterSchema.class {}
LedgerCounterSchema.setClass(LedgerCounter);
