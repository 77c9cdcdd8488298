import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';

const LedgerEntrySchema = defineEntity({
  name: 'LedgerEntry',
  tableName: 'ledger',
  properties: {
    integrationId: idColumn<'intg'>().primary(),
    key: p.text().collation('C').columnType('text').primary(),
    /** Once given, never another's. */
    place: p.integer().nullable(),
    state: jsonColumn().nullable(),
    notedAt: timeColumn(),
    /** From then on its state is of no use; null: as long as there is the integration. */
    forgetAt: timeColumn().nullable(),
  },
  indexes: [{ name: 'ledger_forget_at_index', expression: `create index "ledger_forget_at_index" on "ledger" ("forget_at") where forget_at is not null` }],
  uniques: [{ properties: ['integrationId', 'place'] }],
});

/** A durable note of an integration under a key of its provider's choice. */
export class LedgerEntry extends LedgerEntrySchema.class {
  declare [PrimaryKeyProp]?: ['integrationId', 'key'];
}
LedgerEntrySchema.setClass(LedgerEntry);
