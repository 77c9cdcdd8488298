import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import type { EventType } from '../events/event.ts';

const OutboxEntrySchema = defineEntity({
  name: 'OutboxEntry',
  tableName: 'outbox',
  properties: {
    /** Grows from one commit to the next: who saw an event's answer before submitting gets a higher one. */
    position: p.bigint('number').primary().autoincrement().columnType('bigint').generated('by default as identity'),
    eventId: idColumn<'evt'>(),
    type: p.text().$type<EventType>(),
    organizationId: idColumn<'org'>(),
    formId: idColumn<'form'>(),
    responseId: idColumn<'resp'>(),
    integrationsVersion: p.integer(),
    createdAt: timeColumn(),
    /** The stream's sequence number of its message, once known to be there; null while it may never have got there. */
    publishedSequence: p.bigint('number').nullable(),
  },
  indexes: [{ properties: ['formId', 'position'] }],
});

/** An event whose dispatch is not recorded yet. The row carries no payload: the event is rebuilt from its response. */
export class OutboxEntry extends OutboxEntrySchema.class {}
OutboxEntrySchema.setClass(OutboxEntry);
