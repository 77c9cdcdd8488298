import type { Id } from '../events/id.ts';
import { viewerAllowed } from '../accounts/permissions.ts';
import { formsWhere, reachOf } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import { Choice } from './choice.entity.ts';
import type { ChoiceDefinition, FormDefinition, QuestionDefinition } from './form-definition.ts';
import { Form } from './form.entity.ts';
import { Question } from './question.entity.ts';

/** A question as some version of its form asked it. */
export interface QuestionOfForm extends QuestionDefinition {
  formId: Id<'form'>;
  /** Of the version that asks it so; absent: the present one. */
  definition?: FormDefinition;
}

/** A choice as some version of its form offered it. */
export interface ChoiceOfQuestion extends ChoiceDefinition {
  questionId: Id<'q'>;
}

/** Questions as they are now, for anyone; those that were removed, as they were then, only for the form's owners. */
export async function readQuestions(caller: Caller, ids: readonly Id<'q'>[]): Promise<Map<Id<'q'>, QuestionOfForm>> {
  const { em } = caller;
  const rows = await readVisible(caller, await em.find(Question, { id: { $in: [...ids] } }));
  const choices = await em.find(
    Choice,
    { questionId: { $in: rows.map(({ id }) => id) }, removedAt: null },
    { orderBy: { position: 'asc' } },
  );
  const byQuestion = Map.groupBy(choices, (choice) => choice.questionId);
  return new Map(rows.map((row) => [row.id, asQuestion(row, byQuestion.get(row.id) ?? [])]));
}

/** Choices as they are now, for whoever sees their questions. */
export async function readChoices(caller: Caller, ids: readonly Id<'ch'>[]): Promise<Map<Id<'ch'>, ChoiceOfQuestion>> {
  const { em } = caller;
  const choices = await em.find(Choice, { id: { $in: [...ids] }, removedAt: null });
  const questions = await readVisible(caller, await em.find(Question, { id: { $in: choices.map(({ questionId }) => questionId) } }));
  const visible = new Set(questions.map(({ id }) => id));
  return new Map(
    choices
      .filter(({ questionId }) => visible.has(questionId))
      .map((choice) => [choice.id, { ...asChoice(choice), questionId: choice.questionId }]),
  );
}

async function readVisible(caller: Caller, questions: readonly Question[]): Promise<Question[]> {
  const [removed, asked] = [questions.filter(({ removedAt }) => removedAt), questions.filter(({ removedAt }) => !removedAt)];
  const [forms, own] = await Promise.all([presentForms(caller, asked), ownForms(caller, removed)]);
  return questions.filter(({ formId, removedAt }) => (removedAt ? own : forms).has(formId));
}

async function presentForms({ em }: Caller, questions: readonly Question[]): Promise<Set<Id<'form'>>> {
  const forms = await em.find(Form, { id: { $in: questions.map(({ formId }) => formId) }, deletedAt: null });
  return new Set(forms.map(({ id }) => id));
}

/** Those that the viewer reaches as a member. */
async function ownForms(caller: Caller, questions: readonly Question[]): Promise<Set<Id<'form'>>> {
  const viewer = viewerAllowed(caller, 'forms:read');
  if (!viewer || questions.length === 0) return new Set();
  const ids = questions.map(({ formId }) => formId);
  const forms = await caller.em.find(Form, { ...formsWhere(reachOf(viewer)), id: { $in: ids }, deletedAt: null });
  return new Set(forms.map(({ id }) => id));
}

function asQuestion(row: Question, choices: readonly Choice[]): QuestionOfForm {
  const { id, formId, key, text, translations, kind, required, min, max, constraints, sectionId, visibleWhen, metadata } = row;
  return {
    id, formId, key, text, kind, required, constraints, metadata,
    ...(translations.length > 0 && { translations }),
    ...(sectionId && { sectionId }),
    ...(visibleWhen && { visibleWhen }),
    min: min ?? null,
    max: max ?? null,
    choices: choices.map(asChoice),
    createdAt: row.createdAt.toISOString(),
    updatedAt: row.updatedAt.toISOString(),
  };
}

const asChoice = ({ id, text, translations, metadata }: Choice): ChoiceDefinition => ({
  id, text, metadata,
  ...(translations.length > 0 && { translations }),
});
