import type { EntityManager } from '@mikro-orm/postgresql';
import type { Id } from '../events/id.ts';
import { Choice } from './choice.entity.ts';
import type { FormDefinition, QuestionDefinition } from './form-definition.ts';
import { Question } from './question.entity.ts';

interface Step {
  formId: Id<'form'>;
  before: FormDefinition;
  after: FormDefinition;
  now: Date;
}

/**
 * Brings the rows of a form's questions and choices from one definition to the next. What is gone is marked as
 * removed, never deleted: earlier answers still name it. Only rows that differ are read and written.
 */
export async function writeQuestions(em: EntityManager, step: Step): Promise<void> {
  const { before, after } = step;
  const old = new Map(before.questions.map((question, position) => [question.id, { question, position }]));
  const kept = new Set(after.questions.map(({ id }) => id));
  const changes = after.questions
    .map((question, position) => ({ question, position, was: old.get(question.id) }))
    .filter(({ question, position, was }) => was?.question !== question || was.position !== position);
  const removed = [...old.keys()].filter((id) => !kept.has(id));

  const rows = await readById(em, Question, [...changes.filter(({ was }) => was).map(({ question }) => question.id), ...removed]);
  for (const { question, position } of changes) writeQuestion(em, { row: rows.get(question.id), question, position, formId: step.formId });
  for (const id of removed) markRemoved(rows.get(id), step.now);
  await em.flush(); // choices refer to their questions' rows
  for (const { question, was } of changes) {
    if (was?.question !== question) await writeChoices(em, { before: was?.question, after: question, now: step.now });
  }
  await em.flush();
}

function writeQuestion(
  em: EntityManager,
  place: { row: Question | undefined; question: QuestionDefinition; position: number; formId: Id<'form'> },
): void {
  const { choices: _, createdAt, updatedAt, constraints = {}, sectionId = null, visibleWhen = null, translations = [], ...members } = place.question;
  const values = { ...members, constraints, sectionId, visibleWhen, translations, position: place.position, updatedAt: new Date(updatedAt) };
  if (place.row) em.assign(place.row, values);
  else em.create(Question, { ...values, formId: place.formId, createdAt: new Date(createdAt) });
}

async function writeChoices(
  em: EntityManager,
  { before, after, now }: { before: QuestionDefinition | undefined; after: QuestionDefinition; now: Date },
): Promise<void> {
  const old = (before?.choices ?? []).map(({ id }) => id);
  const kept = new Set(after.choices.map(({ id }) => id));
  const rows = await readById(em, Choice, old);
  for (const [position, { id, text, translations = [], metadata }] of after.choices.entries()) {
    const row = rows.get(id);
    if (row) em.assign(row, { text, translations, metadata, position });
    else em.create(Choice, { id, questionId: after.id, text, translations, metadata, position, createdAt: now });
  }
  for (const id of old) if (!kept.has(id)) markRemoved(rows.get(id), now);
}

function markRemoved(row: { removedAt?: Date | null | undefined } | undefined, now: Date): void {
  if (row) row.removedAt = now;
}

async function readById<Row extends Question | Choice>(
  em: EntityManager,
  entity: new () => Row,
  ids: readonly Row['id'][],
): Promise<Map<string, Row>> {
  if (ids.length === 0) return new Map();
  const rows = (await em.find(entity as new () => Question, { id: { $in: [...ids] as Id<'q'>[] } })) as unknown as Row[];
  return new Map(rows.map((row) => [row.id, row]));
}
