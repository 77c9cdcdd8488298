import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';
import type { Role } from '../config.ts';

const ProcessSchema = defineEntity({
  name: 'Process',
  tableName: 'processes',
  properties: {
    id: idColumn<'prc'>().primary(),
    /** The machine, or the container, and the number of the process on it. */
    host: p.text(),
    pid: p.integer(),
    roles: p.array().$type<Role[]>().columnType('text[]'),
    version: p.text(),
    /** Where it answers whoever asks whether it is ready, as it sees itself. */
    url: p.text(),
    /** As `/readyz` says them; empty where nothing is wrong. */
    reasons: p.array().$type<string[]>().columnType('text[]'),
    /** How far its clock is ahead of the database's; negative: behind. */
    clockAheadMs: p.integer(),
    dispatcherId: idColumn<'dsp'>().nullable(),
    startedAt: timeColumn(),
    /** When it last said so, and until when it counts as alive. */
    seenAt: timeColumn(),
    expiresAt: timeColumn(),
  },
});

/** A process of the installation that runs, or that ran until a short while ago and did not say goodbye. */
export class Process extends ProcessSchema.class {}
ProcessSchema.setClass(Process);
