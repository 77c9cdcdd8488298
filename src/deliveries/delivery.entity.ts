import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import type { EventType } from '../events/event.ts';

export const deliveryStatuses = ['pending', 'delivered', 'dead', 'canceled'] as const;
export type DeliveryStatus = (typeof deliveryStatuses)[number];

/** Who redelivers: somebody, a program of theirs, the schedule of the integration, or who runs the installation. */
export const redeliverers = ['member', 'key', 'schedule', 'operator'] as const;
export type Redeliverer = (typeof redeliverers)[number];

const DeliverySchema = defineEntity({
  name: 'Delivery',
  tableName: 'deliveries',
  properties: {
    id: idColumn<'dlv'>().primary(),
    eventId: idColumn<'evt'>(),
    eventType: p.text().$type<EventType>(),
    /** The event's place in the order of all events. */
    position: p.bigint('number').columnType('bigint'),
    organizationId: idColumn<'org'>(),
    formId: idColumn<'form'>(),
    responseId: idColumn<'resp'>().index(),
    integrationId: idColumn<'intg'>(),
    partition: p.smallint(),
    status: p.text().$type<DeliveryStatus>(),
    /** Why it is pending, dead or canceled. */
    reason: p.text().nullable(),
    /** Class of what the last attempt failed with; null after one that succeeded, and before any. */
    errorClass: p.text().nullable(),
    /** Attempts made so far. */
    attempts: p.integer(),
    /** Attempts that had been made when it was last redelivered: the retry schedule starts anew there. */
    scheduleStart: p.integer().default(0),
    redeliveredAt: timeColumn().nullable(),
    redeliveredBy: p.text().$type<Redeliverer>().nullable(),
    /** The member, or who made the API key. */
    redeliveredById: idColumn<'usr'>().nullable(),
    /** How often it was redelivered by its integration's schedule since it was by hand. */
    redrives: p.smallint().default(0),
    lastAttemptAt: timeColumn().nullable(),
    nextAttemptAt: timeColumn().nullable(),
    /** The dispatcher that is at it, and until when; a claim that ran out, or of another dispatcher than the partition's owner, is void. */
    claimedBy: idColumn<'dsp'>().nullable(),
    claimExpiresAt: timeColumn().nullable(),
    /** The job that made it, where no event did. */
    jobId: idColumn<'job'>().nullable(),
    /** The replay that sends it, or sent it last; null where something else did since. */
    replayId: idColumn<'rpl'>().nullable(),
    /** What it was before that replay; null where that made it. */
    replayedFrom: p.text().$type<DeliveryStatus>().nullable(),
    createdAt: timeColumn(),
    finishedAt: timeColumn().nullable(),
    /** Place in the order in which deliveries change, of its first record. Grows from one commit to the next. */
    recordedPosition: p.bigint('number').columnType('bigint').defaultRaw(`nextval('delivery_position_seq'::regclass)`).ignoreSchemaChanges('default'),
    /** The same of its last change after that, drawn by a trigger; null: as it was recorded. */
    changedPosition: p.bigint('number').columnType('bigint').nullable(),
  },
  indexes: [
    { properties: ['formId', 'recordedPosition'] },
    {
      name: 'deliveries_changed_index',
      expression: `create index "deliveries_changed_index" on "deliveries" ("form_id", "changed_position") where changed_position is not null`,
    },
    {
      name: 'deliveries_due_index',
      expression:
        `create index "deliveries_due_index" on "deliveries" ("integration_id", "next_attempt_at") where status = 'pending'`,
    },
    {
      name: 'deliveries_ordered_index',
      expression:
        `create index "deliveries_ordered_index" on "deliveries" ("integration_id", "position") where status = 'pending'`,
    },
    {
      name: 'deliveries_waiting_index',
      expression:
        `create index "deliveries_waiting_index" on "deliveries" ("replay_id", greatest("created_at", "redelivered_at")) where status = 'pending'`,
    },
    {
      name: 'deliveries_dead_index',
      expression: `create index "deliveries_dead_index" on "deliveries" ("finished_at") where status = 'dead'`,
    },
    {
      name: 'deliveries_job_id_index',
      expression:
        `create index "deliveries_job_id_index" on "deliveries" ("job_id", "status") where job_id is not null and status <> 'delivered'`,
    },
    {
      name: 'deliveries_dead_of_form_index',
      expression:
        `create index "deliveries_dead_of_form_index" on "deliveries" ("form_id", "id") include ("integration_id", "error_class", "finished_at") where status = 'dead'`,
    },
    {
      name: 'deliveries_redrive_index',
      expression:
        `create index "deliveries_redrive_index" on "deliveries" ("integration_id", "redrives", "finished_at") where status = 'dead'`,
    },
  ],
  uniques: [{ properties: ['eventId', 'integrationId'] }],
});

/** The duty to get one event to one integration, and how far it got. */
export class Delivery extends DeliverySchema.class {}
DeliverySchema.setClass(Delivery);
