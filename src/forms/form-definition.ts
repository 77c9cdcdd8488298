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
] as const;
export type QuestionKind = (typeof questionKinds)[number];

export interface ChoiceDefinition {
  id: Id<'ch'>;
  text: string;
  metadata: Json;
}

/** One question as it was asked. `min` and `max` bound the value of a number, inclusive. */
export interface QuestionDefinition {
  id: Id<'q'>;
  key: string;
  text: string;
  kind: QuestionKind;
  required: boolean;
  min: number | null;
  max: number | null;
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
