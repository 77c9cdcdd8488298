import type { Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { createLoader } from '../graphql/loader.ts';
import { nodeRef } from '../graphql/node.ts';
import { formLimits } from './form-limits.ts';
import { questionKinds, type FormDefinition, type QuestionKind } from './form-definition.ts';
import { readChoices, readQuestions, type QuestionOfForm } from './read-questions.ts';
import { inLocale, localeArgument, TranslationInputType, TranslationType } from './translation.graphql.ts';

/** Questions by id, as they are now. */
export const questionLoader = createLoader((ids: readonly Id<'q'>[], context) => readQuestions(context, ids));
/** Choices by id, as they are now. */
export const choiceLoader = createLoader((ids: readonly Id<'ch'>[], context) => readChoices(context, ids));

/** The questions of one version of a form, as `QuestionType` shows them. */
export const questionsOf = (formId: Id<'form'>, definition: FormDefinition): QuestionOfForm[] =>
  definition.questions.map((question) => ({ ...question, formId, definition }));

const kindDescriptions: Partial<Record<QuestionKind, string>> = {
  DATE: 'YYYY-MM-DD.',
  DATE_TIME: 'A moment as RFC 3339, kept in UTC to the millisecond.',
  TIME: 'A time of day, HH:MM or HH:MM:SS, kept as HH:MM:SS.',
  URL: 'An address that begins with http:// or https://, kept as sent.',
  RATING: 'A whole number from min to max.',
  GEO_POINT: '{ latitude, longitude } in degrees (WGS 84), optionally accuracy and altitude in metres.',
  LONG_TEXT: 'A text of several lines.',
};

export const QuestionKindType = builder.enumType('QuestionKind', {
  values: Object.fromEntries(questionKinds.map((kind) => [kind, { description: kindDescriptions[kind] }])) as Record<QuestionKind, { description?: string }>,
});

export const ChoiceType = nodeRef('Choice', { prefix: 'ch', load: choiceLoader });
ChoiceType.implement({
  description: 'One of the answers that a question offers.',
  fields: (t) => ({
    text: t.string({ args: localeArgument(t.arg), resolve: ({ text, translations }, { locale }) => inLocale(text, translations, locale) }),
    translations: t.field({ type: [TranslationType], description: 'Of its text.', resolve: ({ translations }) => translations ?? [] }),
    metadata: t.expose('metadata', { type: 'JSON', nullable: true }),
  }),
});

export const QuestionType = nodeRef('Question', { prefix: 'q', load: questionLoader });
QuestionType.implement({
  description: 'One thing asked. With a response, it is shown as it was when the response was given.',
  fields: (t) => ({
    key: t.exposeString('key', { description: 'Its name for programs, unique in the form.' }),
    text: t.string({ args: localeArgument(t.arg), resolve: ({ text, translations }, { locale }) => inLocale(text, translations, locale) }),
    translations: t.field({ type: [TranslationType], description: 'Of its text.', resolve: ({ translations }) => translations ?? [] }),
    kind: t.expose('kind', { type: QuestionKindType }),
    required: t.exposeBoolean('required', { description: 'Whether it needs an answer where it is asked.' }),
    visibleWhen: t.exposeString('visibleWhen', {
      nullable: true,
      description: 'A condition in CEL over the keys of earlier questions: where it is not true, the question is not asked, and takes no answer.',
    }),
    min: t.exposeFloat('min', { nullable: true, description: 'The least value of a number or rating.' }),
    max: t.exposeFloat('max', { nullable: true, description: 'The greatest value of a number or rating.' }),
    earliest: t.string({ nullable: true, description: 'Of a date, time or date-time.', resolve: ({ constraints }) => constraints?.earliest }),
    latest: t.string({ nullable: true, description: 'Of a date, time or date-time.', resolve: ({ constraints }) => constraints?.latest }),
    minLength: t.int({ nullable: true, description: 'Of a text.', resolve: ({ constraints }) => constraints?.minLength }),
    maxLength: t.int({ nullable: true, description: 'Of a text.', resolve: ({ constraints }) => constraints?.maxLength }),
    pattern: t.string({ nullable: true, description: 'What the whole of a text matches, in RE2’s syntax.', resolve: ({ constraints }) => constraints?.pattern }),
    decimals: t.int({ nullable: true, description: 'Digits after the point, at most.', resolve: ({ constraints }) => constraints?.decimals }),
    choices: t.field({
      type: [ChoiceType],
      resolve: (question) => question.choices.map((choice) => ({ ...choice, questionId: question.id })),
    }),
    metadata: t.expose('metadata', { type: 'JSON', nullable: true }),
    createdAt: t.field({ type: 'DateTime', resolve: (question) => new Date(question.createdAt) }),
    updatedAt: t.field({ type: 'DateTime', resolve: (question) => new Date(question.updatedAt) }),
  }),
});

const ChoiceInputType = builder.inputType('ChoiceInput', {
  fields: (t) => ({
    id: t.id({ description: 'A choice the question has already; without it, the one with the same text, or a new one.' }),
    text: t.string({ required: true }),
    translations: t.field({ type: [TranslationInputType], description: 'Of its text. By default those the choice has already.' }),
    metadata: t.field({ type: 'JSON' }),
  }),
});

export const QuestionInputType = builder.inputType('QuestionInput', {
  fields: (t) => ({
    key: t.string({ description: 'a–z, 0–9 and _, unique in the form. By default made from the text.' }),
    text: t.string({ required: true }),
    translations: t.field({ type: [TranslationInputType], description: 'Of its text.' }),
    kind: t.field({ type: QuestionKindType, required: true }),
    required: t.boolean({ description: 'Default: false.' }),
    visibleWhen: t.string({ description: 'A condition in CEL over the keys of earlier questions, such as: age >= 18 && city == "Pune"' }),
    choices: t.field({ type: [ChoiceInputType] }),
    metadata: t.field({ type: 'JSON' }),
    min: t.float({ description: 'Of a number, or of a rating (default: 1); inclusive.' }),
    max: t.float({ description: `Of a number, or of a rating (default: 5; at most ${formLimits.ratingMax}); inclusive.` }),
    earliest: t.string({ description: 'Of a date, time or date-time, written like an answer; inclusive.' }),
    latest: t.string({ description: 'Of a date, time or date-time, written like an answer; inclusive.' }),
    minLength: t.int({ description: 'Of a text that is not empty.' }),
    maxLength: t.int({ description: `Of a text; at most ${formLimits.answerLength}, with a pattern ${formLimits.patternedTextLength}.` }),
    pattern: t.string({
      description: 'Only for TEXT: what the whole of a text that is not empty must match. RE2’s syntax: no backreferences, nothing that looks ahead or behind.',
    }),
    decimals: t.int({ description: `Only for DECIMAL: digits after the point, 0 to ${formLimits.decimals}.` }),
  }),
});

/** The same members for a change, each of which may be absent. */
export const QuestionChangeFields = (t: Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]) => ({
  key: t.string(),
  text: t.string(),
  translations: t.field({ type: [TranslationInputType], description: 'All translations of its text; those not named are removed.' }),
  kind: t.field({ type: QuestionKindType }),
  required: t.boolean(),
  visibleWhen: t.string({ description: 'null: always.' }),
  choices: t.field({ type: [ChoiceInputType], description: 'All choices of the question; those not named are removed.' }),
  metadata: t.field({ type: 'JSON' }),
  min: t.float({ description: 'null: no bound.' }),
  max: t.float({ description: 'null: no bound.' }),
  earliest: t.string({ description: 'null: no bound.' }),
  latest: t.string({ description: 'null: no bound.' }),
  minLength: t.int({ description: 'null: no bound.' }),
  maxLength: t.int({ description: 'null: no bound.' }),
  pattern: t.string({ description: 'null: any text.' }),
  decimals: t.int({ description: 'null: any number.' }),
});
