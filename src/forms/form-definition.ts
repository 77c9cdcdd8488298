import type { Json } from '../events/canonical-json.ts';
import type { Id } from '../events/id.ts';

export const questionKinds = [
  'TEXT',
  'INTEGER',
  'DECIMAL',
  'BOOLEAN',
  'SINGLE_CHOICE',
  'MULTIPLE_CHOICE',
  'EMAIL',
  'PHONE',
  'DATE',
  'DATE_TIME',
  'TIME',
  'URL',
  'RATING',
  'GEO_POINT',
  'LONG_TEXT',
] as const;
export type QuestionKind = (typeof questionKinds)[number];

export interface ChoiceDefinition {
  id: Id<'ch'>;
  text: string;
  metadata: Json;
}

/** What an answer must keep to, by the question's kind; what is absent is not asked for. All bounds are inclusive. */
export interface QuestionConstraints {
  /** Of a date, time or date-time, as it is stored. */
  earliest?: string;
  latest?: string;
  /** Of a text, in UTF-16 units. */
  minLength?: number;
  maxLength?: number;
  /** What the whole of a text must match, in RE2's syntax. */
  pattern?: string;
  /** Digits after the point, at most. */
  decimals?: number;
}

/**
 * One question as it was asked. `min` and `max` bound the value of a number or rating, inclusive. Versions from before
 * there were constraints have none.
 */
export interface QuestionDefinition {
  id: Id<'q'>;
  key: string;
  text: string;
  kind: QuestionKind;
  required: boolean;
  min: number | null;
  max: number | null;
  constraints?: QuestionConstraints;
  choices: ChoiceDefinition[];
  metadata: Json;
  createdAt: string;
  updatedAt: string;
}

/** What respondents answer: everything of a form that a version freezes, in the questions' order. */
export interface FormDefinition {
  title: string;
  questions: QuestionDefinition[];
}
