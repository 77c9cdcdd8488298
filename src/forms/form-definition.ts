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

/** A text in another language. `locale`: a BCP 47 tag in its canonical writing, such as `hi` or `pt-BR`. */
export interface Translation {
  locale: string;
  text: string;
}

export interface ChoiceDefinition {
  id: Id<'ch'>;
  text: string;
  /** Of `text`, each locale once, in their order; absent: none. */
  translations?: Translation[];
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
 * One question as it was asked. `min` and `max` bound the value of a number or rating, inclusive. Optional members are
 * absent, never null or empty, where a question has none of them, and in versions from before there were any.
 */
export interface QuestionDefinition {
  id: Id<'q'>;
  key: string;
  text: string;
  translations?: Translation[];
  kind: QuestionKind;
  required: boolean;
  min: number | null;
  max: number | null;
  constraints?: QuestionConstraints;
  choices: ChoiceDefinition[];
  /** A CEL condition over the keys of earlier questions: where it is not true, the question is not asked. */
  visibleWhen?: string;
  /** One of the form's sections. The questions of a section stand next to each other. */
  sectionId?: Id<'sec'>;
  metadata: Json;
  createdAt: string;
  updatedAt: string;
}

/** A part of a form under a title of its own. Its questions are those that name it; it may have none. */
export interface SectionDefinition {
  id: Id<'sec'>;
  title: string;
  titleTranslations?: Translation[];
  description: string | null;
  descriptionTranslations?: Translation[];
  /** A CEL condition over the keys of questions before its first one: where it is not true, none of its own is asked. */
  visibleWhen?: string;
  metadata: Json;
}

/**
 * What respondents answer: everything of a form that a version freezes, in the questions' order. The description itself
 * is the form's, not the version's; its translations are kept beside those of everything else.
 */
export interface FormDefinition {
  title: string;
  titleTranslations?: Translation[];
  descriptionTranslations?: Translation[];
  /** In their order, which is that of their questions; absent: none. */
  sections?: SectionDefinition[];
  questions: QuestionDefinition[];
}
