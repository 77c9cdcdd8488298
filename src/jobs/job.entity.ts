import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { ReplayTask } from '../replays/replay-task.ts';

/**
 * connect, disconnect: what the provider's methods of this name do · backfill: responses that are there already become
 * deliveries · verify: the outside service is compared with the responses ·
 * replay: a part of a replay, the one to this integration
 */
export const jobKinds = ['connect', 'disconnect', 'backfill', 'verify', 'replay'] as const;
export type JobKind = (typeof jobKinds)[number];

/** waiting: nothing was done yet · running: begun, also while it waits for its next step · failed: given up, as the reason says */
export const jobStatuses = ['waiting', 'running', 'done', 'failed', 'canceled'] as const;
export type JobStatus = (typeof jobStatuses)[number];

/** Which responses a backfill is about: submitted from `since` on, up to and without `until`; RFC 3339. */
export interface JobInput {
  since?: string;
  until?: string;
  /** Backfill: also what was delivered already, or is on its way. */
  again?: boolean;
  /** Verify: what differs is mended. */
  repair?: boolean;
  /** Replay: what is to be sent again. */
  replay?: ReplayTask;
}

/** Where a walk goes on: over responses, behind this one of this form; over events, behind the one at this position. */
export interface JobCursor {
  formId: string;
  responseId: string;
  position?: number;
}

export interface JobProgress {
  /** Responses, or events, to look at, counted when the job began. */
  total?: number;
  /** Those that were looked at. */
  done: number;
  /** Deliveries that were made. */
  made: number;
  /** Everything has been looked at; what was made is still to be delivered. */
  isWalked?: boolean;
}

/** What a comparison found; the lists have the first of what is counted. */
export interface JobResult {
  differing: number;
  surplus: number;
  differences: { responseId: string; difference: string }[];
  surplusFound: string[];
}

const JobSchema = defineEntity({
  name: 'Job',
  tableName: 'jobs',
  properties: {
    id: idColumn<'job'>().primary(),
    organizationId: idColumn<'org'>(),
    integrationId: idColumn<'intg'>(),
    /** The replay it is a part of. */
    replayId: idColumn<'rpl'>().nullable(),
    kind: p.text().$type<JobKind>(),
    status: p.text().$type<JobStatus>(),
    /** How often it was asked for: if that grew while it ran, it runs again. */
    asked: p.integer(),
    input: jsonColumn<JobInput>(),
    cursor: jsonColumn<JobCursor>().nullable(),
    progress: jsonColumn<JobProgress>(),
    result: jsonColumn<JobResult>().nullable(),
    /** Why it waits, or was given up. */
    reason: p.text().nullable(),
    /** Steps that failed since the last one that did not. */
    attempts: p.integer(),
    nextAttemptAt: timeColumn().nullable(),
    /** Who is at a step of it, and until when; see `claimJob`. */
    claimedBy: idColumn<'clm'>().nullable(),
    claimExpiresAt: timeColumn().nullable(),
    createdAt: timeColumn(),
    startedAt: timeColumn().nullable(),
    finishedAt: timeColumn().nullable(),
  },
  indexes: [
    { properties: ['integrationId', 'id'] },
    { properties: ['finishedAt'] },
    { name: 'jobs_replay_index', expression: `create index "jobs_replay_index" on "jobs" ("replay_id") where replay_id is not null` },
    {
      name: 'jobs_unfinished_index',
      expression: `create unique index "jobs_unfinished_index" on "jobs" ("integration_id", "kind") where status in ('waiting', 'running')`,
    },
    {
      name: 'jobs_due_index',
      expression: `create index "jobs_due_index" on "jobs" ("next_attempt_at") where status in ('waiting', 'running')`,
    },
  ],
});

/** Durable work of an integration that is no delivery. Of each kind there is one at a time that is not finished. */
export class Job extends JobSchema.class {}
JobSchema.setClass(Job);
