import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

const MissingDeliverySchema = defineEntity({
  name: 'MissingDelivery',
  tableName: 'missing_deliveries',
  properties: {
    eventId: idColumn<'evt'>().primary(),
    integrationId: idColumn<'intg'>().primary(),
    formId: idColumn<'form'>(),
    responseId: idColumn<'resp'>(),
    position: p.bigint('number').columnType('bigint'),
    foundAt: timeColumn(),
  },
});

/** A delivery that was due and is nowhere, as the check in the background found it. There should never be one. */
export class MissingDelivery extends MissingDeliverySchema.class {
  declare [PrimaryKeyProp]?: ['eventId', 'integrationId'];
}
MissingDeliverySchema.setClass(MissingDelivery);
