import { defineEntity, p } from '@mikro-orm/core';

const QuotaSchema = defineEntity({
  name: 'Quota',
  tableName: 'quotas',
  properties: {
    /** What is limited, by whom: `google:account:…`. */
    name: p.text().collation('C').columnType('text').primary(),
    /** When the next turn would come at an even pace; see `reserveTurn`. */
    nextAt: p.datetime().columnType('timestamptz'),
  },
});

/** How far the turns at an outside service's quota are given out, to all integrations and processes that share it. */
export class Quota extends QuotaSchema.class {}
QuotaSchema.setClass(Quota);
