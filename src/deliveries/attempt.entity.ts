import { defineEntity, p, PrimaryKeyProp } from '@mikro-orm/core';
import { idColumn, timeColumn } from '../columns.ts';

export const attemptOutcomes = ['delivered', 'retry', 'rejected', 'broken'] as const;
export type AttemptOutcome = (typeof attemptOutcomes)[number];

const AttemptSchema = defineEntity({
  name: 'Attempt',
  tableName: 'attempts',
  properties: {
    deliveryId: idColumn<'dlv'>().primary(),
    /** From 1. */
    number: p.integer().primary(),
    at: timeColumn(),
    durationMs: p.integer(),
    outcome: p.text().$type<AttemptOutcome>(),
    httpStatus: p.smallint().nullable(),
    /** Class of the failure: `TIMEOUT`, `CONNECTION`, … */
    errorClass: p.text().nullable(),
    error: p.text().nullable(),
    responseBody: p.text().nullable(),
  },
});

/** One try of a delivery, and what came back. */
export class Attempt extends AttemptSchema.class {
  declare [PrimaryKeyProp]?: ['deliveryId', 'number'];
}
AttemptSchema.setClass(Attempt);
