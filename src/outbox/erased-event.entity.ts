import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

const ErasedEventSchema = defineEntity({
  name: 'ErasedEvent',
  tableName: 'erased_events',
  properties: {
    eventId: idColumn<'evt'>().primary(),
    position: p.bigint('number').columnType('bigint'),
    erasedAt: timeColumn(),
  },
});

/** An event of an erased response that may still be on its way: it must not go out any more. */
export class ErasedEvent extends ErasedEventSchema.class {}
ErasedEventSchema.setClass(ErasedEvent);
