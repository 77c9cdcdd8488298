import type { Json } from '../events/canonical-json.ts';
import type { QuestionConstraints, QuestionDefinition, QuestionKind, Translation } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { changedConstraints, readConstraints } from './question-constraints.ts';
import { isQuestionKey } from './question-key.ts';
import { readTranslations, type TranslationInput } from './translations.ts';

export interface ChoiceInput {
  /** Of a choice that the question has already; else it is found by its text, or new. */
  id?: string | null | undefined;
  text: string;
  translations?: readonly TranslationInput[] | null | undefined;
  metadata?: Json | undefined;
}

export interface QuestionInput {
  /** Absent: made from the text. */
  key?: string | null | undefined;
  text: string;
  translations?: readonly TranslationInput[] | null | undefined;
  kind: QuestionKind;
  required?: boolean | null | undefined;
  visibleWhen?: string | null | undefined;
  choices?: readonly ChoiceInput[] | null | undefined;
  metadata?: Json | undefined;
  min?: number | null | undefined;
  max?: number | null | undefined;
  earliest?: string | null | undefined;
  latest?: string | null | undefined;
  minLength?: number | null | undefined;
  maxLength?: number | null | undefined;
  pattern?: string | null | undefined;
  decimals?: number | null | undefined;
}

/** Members that are absent stay as they are. */
export type QuestionChange = { [Member in keyof QuestionInput]?: QuestionInput[Member] | null | undefined };

/** A question whose members are sound by themselves; what others of the form have is not looked at yet. */
export interface QuestionDraft {
  key: string | undefined;
  text: string;
  translations?: Translation[];
  kind: QuestionKind;
  required: boolean;
  visibleWhen?: string;
  min: number | null;
  max: number | null;
  constraints: QuestionConstraints;
  choices: ChoiceDraft[];
  metadata: Json;
}

/** `translations` or `metadata` undefined: as the choice has them already. */
export interface ChoiceDraft {
  id: string | undefined;
  text: string;
  translations: Translation[] | undefined;
  metadata: Json | undefined;
}

const hasChoices = (kind: QuestionKind): boolean => kind === 'SINGLE_CHOICE' || kind === 'MULTIPLE_CHOICE';

/** Checks a question's members. What is wrong goes into `faults`, with `path` in front. */
export function readQuestion(input: QuestionInput, { path, faults }: { path: Path; faults: InputFaults }): QuestionDraft {
  const key = input.key ?? undefined;
  if (key !== undefined && !isQuestionKey(key)) {
    faults.add([...path, 'key'], 'A key begins with a letter a–z and goes on with up to 63 of a–z, 0–9 and _.');
  }
  const translations = readTranslations(input.translations, { path: [...path, 'translations'], faults, maxLength: formLimits.questionTextLength });
  const visibleWhen = readCondition(input.visibleWhen, { path: [...path, 'visibleWhen'], faults });
  return {
    key,
    text: faults.text([...path, 'text'], input.text, formLimits.questionTextLength),
    ...(translations.length > 0 && { translations }),
    kind: input.kind,
    required: input.required ?? false,
    ...(visibleWhen !== undefined && { visibleWhen }),
    ...readConstraints(input, { path, faults }),
    choices: readChoices(input, { path, faults }),
    metadata: faults.json([...path, 'metadata'], input.metadata),
  };
}

/**
 * A question after a change, to be read like a new one. What its new kind cannot have, choices or constraints, falls
 * away unless the change itself asks for it.
 */
export function changedQuestion(question: QuestionDefinition, change: QuestionChange): QuestionInput {
  const kind = change.kind ?? question.kind;
  return {
    key: change.key ?? question.key,
    text: change.text ?? question.text,
    kind,
    required: change.required ?? question.required,
    translations: change.translations === undefined ? question.translations : change.translations,
    visibleWhen: change.visibleWhen === undefined ? question.visibleWhen : change.visibleWhen,
    choices: change.choices ?? (hasChoices(kind) ? question.choices : []),
    metadata: change.metadata === undefined ? question.metadata : change.metadata,
    ...changedConstraints(question, { ...change, kind }),
  };
}

/** A condition that can be stored; what it says is looked at when its form is whole. The empty text of a field left alone is none. */
export function readCondition(input: string | null | undefined, { path, faults }: { path: Path; faults: InputFaults }): string | undefined {
  if (input === null || input === undefined || input.trim() === '') return undefined;
  return faults.text(path, input, formLimits.conditionLength);
}

function readChoices(input: QuestionInput, { path, faults }: { path: Path; faults: InputFaults }): ChoiceDraft[] {
  const choices = input.choices ?? [];
  const at = [...path, 'choices'];
  if (hasChoices(input.kind) && choices.length === 0) faults.add(at, 'A choice question needs at least one choice.');
  if (!hasChoices(input.kind) && choices.length > 0) faults.add(at, `A question of kind ${input.kind} has no choices.`);
  if (choices.length > formLimits.choices) {
    faults.add(at, `At most ${formLimits.choices} choices; these are ${choices.length}.`);
    return [];
  }
  const texts = new Set<string>();
  return choices.map((choice, index) => {
    if (texts.has(choice.text)) faults.add([...at, index, 'text'], 'Another choice of this question has the same text.');
    texts.add(choice.text);
    return {
      id: choice.id ?? undefined,
      text: faults.text([...at, index, 'text'], choice.text, formLimits.choiceTextLength),
      translations: choice.translations === undefined ? undefined : readTranslations(choice.translations, { path: [...at, index, 'translations'], faults, maxLength: formLimits.choiceTextLength }),
      metadata: choice.metadata === undefined ? undefined : faults.json([...at, index, 'metadata'], choice.metadata),
    };
  });
}
