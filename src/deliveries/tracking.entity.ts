import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

const TrackingSchema = defineEntity({
  name: 'Tracking',
  tableName: 'trackings',
  properties: {
    integrationId: idColumn<'intg'>().primary(),
    eventId: idColumn<'evt'>().primary(),
    /** What the outside service knows it by. */
    reference: p.text(),
    /** In the service's words. */
    status: p.text(),
    rank: p.integer(),
    isFinal: p.boolean(),
    detail: p.text().nullable(),
    notedAt: timeColumn(),
    /** When to ask the service what became of it; null once that is final. */
    followAt: timeColumn().nullable(),
    /** How often it was asked. */
    follows: p.smallint(),
  },
  indexes: [
    {
      name: 'trackings_follow_at_index',
      expression: `create index "trackings_follow_at_index" on "trackings" ("follow_at") where follow_at is not null`,
    },
    {
      name: 'trackings_noted_at_index',
      expression: `create index "trackings_noted_at_index" on "trackings" ("noted_at") where follow_at is null`,
    },
  ],
});

/** What an outside service says of a delivery after it took it: a message on its way. */
export class TrackingEntry extends TrackingSchema.class {
  declare [PrimaryKeyProp]?: ['integrationId', 'eventId'];
}
TrackingSchema.setClass(TrackingEntry);
