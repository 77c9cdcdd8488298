import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import type { EventType } from '../events/event.ts';

const ChangeSchema = defineEntity({
  name: 'Change',
  tableName: 'changes',
  properties: {
    formId: idColumn<'form'>().primary(),
    position: p.bigint('number').columnType('bigint').primary(),
    eventId: idColumn<'evt'>(),
    type: p.text().$type<EventType>(),
    responseId: idColumn<'resp'>(),
    createdAt: timeColumn(),
    /** It says to which integrations the event is due; null: from before it was kept. */
    integrationsVersion: p.integer().nullable(),
  },
  indexes: [{ name: 'changes_position_index', properties: ['position'] }],
});

/**
 * An event that tells of a change: every one but `response.created`, which the response's own row tells. Written by a
 * trigger of the outbox, and kept when the outbox lets go of the event, for as long as its response is: whoever accounts
 * for a time long past or sends it again goes by it, and a cursor that has expired is known by what followed it.
 */
export class Change extends ChangeSchema.class {}
ChangeSchema.setClass(Change);
