import { defineEntity, p } from '@mikro-orm/core';
import { idColumn, jsonColumn, timeColumn } from '../columns.ts';
import type { Json } from '../events/canonical-json.ts';
import type { Flag } from '../events/flag.ts';
import type { Id } from '../events/id.ts';
import type { ReviewState } from './review.entity.ts';

/** Degrees by WGS 84, metres. */
export type GeoPoint = { latitude: number; longitude: number; accuracy?: number; altitude?: number };

export type AnswerValue = string | number | boolean | string[] | GeoPoint;

/** One answer as it is stored: a choice by its id, several as a list of ids. `at` only where the client told it. */
export interface StoredAnswer {
  value: AnswerValue;
  metadata?: Json;
}
export type StoredAnswers = Record<Id<'q'>, StoredAnswer>;

export interface Respondent {
  mobile?: string;
  email?: string;
  name?: string;
  /** The collector's own name for the respondent. */
  key?: string;
}

/** The collector's envelope: who took the response down, where, and when by the device's clock. */
export interface Collector {
  userId?: string;
  username?: string;
  location?: string;
  submittedAt?: string;
  lastModifiedAt?: string;
}

const ResponseSchema = defineEntity({
  name: 'Response',
  tableName: 'responses',
  properties: {
    id: idColumn<'resp'>().primary(),
    formId: idColumn<'form'>(),
    formVersion: p.integer(),
    clientId: p.text().nullable(),
    /** SHA-256 of what the client sent, to tell a repeat from other content under the same client id. */
    contentHash: p.text().nullable(),
    /** Whose it is, hashed (see `respondentKey`): a first revision's, where its form takes one of each. */
    respondentKey: p.text().collation('C').nullable(),
    /** Place in the order of all events of what made this revision, and so in lists. Grows from one commit to the next. */
    position: p.bigint('number').columnType('bigint').defaultRaw(`nextval('outbox_position_seq'::regclass)`).ignoreSchemaChanges('default'),
    familyId: idColumn<'resp'>(),
    /** From 1; the highest of a family is its current one. */
    revision: p.integer(),
    submittedAt: timeColumn(),
    /** The member who made this revision of an earlier one; null for what was submitted. Of an API key, who made it. */
    amendedById: idColumn<'usr'>().nullable(),
    /** Since then this row is what is left: all that was answered, and by whom, is gone from it. */
    erasedAt: timeColumn().nullable(),
    erasedById: idColumn<'usr'>().nullable(),
    /** Where the response stands in the review while this is its current revision; null: received. */
    reviewState: p.text().$type<Exclude<ReviewState, 'received'>>().nullable(),
    /** What rules had against it when it was accepted; null: nothing. */
    flags: jsonColumn<Flag[]>().nullable(),
    answers: jsonColumn<StoredAnswers>(),
    respondent: jsonColumn<Respondent>(),
    collector: jsonColumn<Collector>(),
    metadata: jsonColumn(),
    /** The place of the event that its flags are other ones than those of the revision before; null: they are not. */
    flagsPosition: p.bigint('number').columnType('bigint').nullable(),
    /** How far the organisation's integrations had changed then; null: from before it was kept. It says to which of them the event is due. */
    integrationsVersion: p.integer().nullable(),
  },
  indexes: [
    { properties: ['formId', 'position', 'reviewState'] },
    {
      name: 'responses_review_state_index',
      expression:
        `create index "responses_review_state_index" on "responses" ("form_id", "review_state", "position") where review_state is not null`,
    },
    {
      name: 'responses_flags_index',
      expression: `create index "responses_flags_index" on "responses" ("form_id", (flags is not null), "position") where flags is not null`,
    },
    {
      name: 'responses_respondent_key_index',
      expression:
        `create unique index "responses_respondent_key_index" on "responses" ("form_id", "respondent_key") where respondent_key is not null`,
    },
  ],
  uniques: [{ properties: ['formId', 'clientId'] }, { properties: ['familyId', 'revision'] }],
});

/** One immutable revision of what one respondent sent, with its answers as one document. */
export class Response extends ResponseSchema.class {}
ResponseSchema.setClass(Response);
