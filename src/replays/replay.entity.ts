import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { Id } from '../events/id.ts';
import type { ReplayTask } from './replay-task.ts';

/** Who acts on a replay: somebody, a program of theirs, or who runs the installation. */
export type ReplayActor = 'member' | 'key' | 'operator';

/** What somebody did with a replay, and when (RFC 3339). */
export interface ReplayAction {
  action: 'started' | 'paused' | 'resumed' | 'canceled';
  at: string;
  by: ReplayActor;
  /** The member, or who made the API key; null: nobody of the organisation. */
  userId: Id<'usr'> | null;
}

const ReplaySchema = defineEntity({
  name: 'Replay',
  tableName: 'replays',
  properties: {
    id: idColumn<'rpl'>().primary(),
    organizationId: idColumn<'org'>(),
    formId: idColumn<'form'>(),
    task: jsonColumn<ReplayTask>(),
    sendSms: p.boolean(),
    /** Deliveries that the preview found, of all integrations. */
    total: p.integer(),
    /** Everything that was done with it, oldest first. */
    actions: jsonColumn<ReplayAction[]>(),
    createdAt: timeColumn(),
    pausedAt: timeColumn().nullable(),
    canceledAt: timeColumn().nullable(),
  },
  indexes: [{ properties: ['formId', 'id'] }],
});

/** A stretch of a form's events that is sent again; for each integration there is a job. It is kept for ever. */
export class Replay extends ReplaySchema.class {}
ReplaySchema.setClass(Replay);
