import { defineEntity, p } from '@mikro-orm/core';
import { timeColumn } from '../columns.ts';

const CompletenessWalkSchema = defineEntity({
  name: 'CompletenessWalk',
  tableName: 'completeness_walks',
  properties: {
    name: p.text().primary(),
    /** The id of a response, or the position of a change in as many digits as the largest has. */
    reached: p.text().columnType('text').collation('C'),
    walkedAt: timeColumn(),
  },
});

/** How far a walk over all events has come that looks whether deliveries are missing. */
export class CompletenessWalk extends CompletenessWalkSchema.class {}
CompletenessWalkSchema.setClass(CompletenessWalk);
