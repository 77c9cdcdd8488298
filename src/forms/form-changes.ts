import { canonical, type Json } from '../events/canonical-json.ts';
import { valuesOfChoice, valuesOfForm, valuesOfQuestion, valuesOfSection } from './definition-members.ts';
import type { ChoiceDefinition, FormDefinition, QuestionDefinition, SectionDefinition } from './form-definition.ts';
import { keptOrder } from './kept-order.ts';

/** One member of a form, section, question or choice that has another value. */
export interface FieldChange {
  name: string;
  before: Json;
  after: Json;
}

/** Positions count from 0: `from` in the version before, `to` in the one after. */
type ListChange<Noun extends string, Subject> =
  | ({ kind: `${Noun}_REMOVED`; from: number } & Subject)
  | ({ kind: `${Noun}_ADDED`; to: number } & Subject)
  | ({ kind: `${Noun}_MOVED`; from: number; to: number } & Subject)
  | ({ kind: `${Noun}_CHANGED`; fields: FieldChange[] } & Subject);

/**
 * One thing that is different between two versions. Sections, questions and choices are shown as they are after the change, removed
 * ones as they were.
 */
export type FormChange =
  | { kind: 'FORM_CHANGED'; fields: FieldChange[] }
  | ListChange<'SECTION', { section: SectionDefinition }>
  | ListChange<'QUESTION', { question: QuestionDefinition }>
  | ListChange<'CHOICE', { question: QuestionDefinition; choice: ChoiceDefinition }>;

export type FormChangeKind = FormChange['kind'];

/**
 * What makes one version of a form into another: first the form's own members, then its sections, then its questions, each
 * with its choices; of each list what was removed comes first. All are told apart by their ids, so what was removed and
 * made again is not the same. Moves are as few as possible; what merely makes way has not moved. The
 * other way round gives the same changes inverted.
 */
export function changesBetween(before: FormDefinition, after: FormDefinition): FormChange[] {
  const fields = changedFields(valuesOfForm(before), valuesOfForm(after));
  const sections = compareLists(before.sections ?? [], after.sections ?? []);
  const questions = compareLists(before.questions, after.questions);
  return [
    ...(fields.length > 0 ? [{ kind: 'FORM_CHANGED', fields } as const] : []),
    ...sections.removed.map(({ item: section, from }) => ({ kind: 'SECTION_REMOVED', section, from }) as const),
    ...sections.present.flatMap(ofSection),
    ...questions.removed.map(({ item: question, from }) => ({ kind: 'QUESTION_REMOVED', question, from }) as const),
    ...questions.present.flatMap(ofQuestion),
  ];
}

function ofSection({ item: section, was, from, to, isMoved }: Present<SectionDefinition>): FormChange[] {
  if (!was) return [{ kind: 'SECTION_ADDED', section, to }];
  const fields = changedFields(valuesOfSection(was), valuesOfSection(section));
  return [
    ...(isMoved ? [{ kind: 'SECTION_MOVED', section, from, to } as const] : []),
    ...(fields.length > 0 ? [{ kind: 'SECTION_CHANGED', section, fields } as const] : []),
  ];
}

function ofQuestion({ item: question, was, from, to, isMoved }: Present<QuestionDefinition>): FormChange[] {
  if (!was) return [{ kind: 'QUESTION_ADDED', question, to }];
  const moved: FormChange[] = isMoved ? [{ kind: 'QUESTION_MOVED', question, from, to }] : [];
  if (was === question) return moved;
  const fields = changedFields(withSection(was), withSection(question));
  const changed: FormChange[] = fields.length > 0 ? [{ kind: 'QUESTION_CHANGED', question, fields }] : [];
  return [...moved, ...changed, ...ofChoices(was, question)];
}

const withSection = (question: QuestionDefinition): Record<string, Json> => ({ sectionId: question.sectionId ?? null, ...valuesOfQuestion(question) });

function ofChoices(was: QuestionDefinition, question: QuestionDefinition): FormChange[] {
  const choices = compareLists(was.choices, question.choices);
  return [
    ...choices.removed.map(({ item: choice, from }) => ({ kind: 'CHOICE_REMOVED', question, choice, from }) as const),
    ...choices.present.flatMap((present) => ofChoice(question, present)),
  ];
}

function ofChoice(question: QuestionDefinition, { item: choice, was, from, to, isMoved }: Present<ChoiceDefinition>): FormChange[] {
  if (!was) return [{ kind: 'CHOICE_ADDED', question, choice, to }];
  const fields = changedFields(valuesOfChoice(was), valuesOfChoice(choice));
  return [
    ...(isMoved ? [{ kind: 'CHOICE_MOVED', question, choice, from, to } as const] : []),
    ...(fields.length > 0 ? [{ kind: 'CHOICE_CHANGED', question, choice, fields } as const] : []),
  ];
}

/** An item of the list after; `was` undefined: it is new, and `from` says nothing. */
interface Present<Item> {
  item: Item;
  was: Item | undefined;
  from: number;
  to: number;
  isMoved: boolean;
}

function compareLists<Item extends { id: string }>(
  before: readonly Item[],
  after: readonly Item[],
): { removed: { item: Item; from: number }[]; present: Present<Item>[] } {
  const places = new Map(before.map((item, from) => [item.id, { item, from }]));
  const remaining = new Set(after.map(({ id }) => id));
  const kept = keptOrder(before.map(({ id }) => id), [...remaining]);
  return {
    removed: before.flatMap((item, from) => (remaining.has(item.id) ? [] : [{ item, from }])),
    present: after.map((item, to) => {
      const place = places.get(item.id);
      return { item, was: place?.item, from: place?.from ?? -1, to, isMoved: place !== undefined && !kept.has(item.id) };
    }),
  };
}

function changedFields(before: Record<string, Json>, after: Record<string, Json>): FieldChange[] {
  return Object.entries(after).flatMap(([name, value]) => {
    const was = before[name] ?? null;
    return isSameJson(was, value) ? [] : [{ name, before: was, after: value }];
  });
}

const isSameJson = (one: Json, other: Json): boolean =>
  Object.is(one, other) || (typeof one === 'object' && JSON.stringify(canonical(one)) === JSON.stringify(canonical(other)));
