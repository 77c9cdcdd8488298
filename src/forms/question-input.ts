import type { Json } from '../events/canonical-json.ts';
import type { QuestionConstraints, QuestionDefinition, QuestionKind } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { changedConstraints, readConstraints } from './question-constraints.ts';
import { isQuestionKey } from './question-key.ts';

export interface ChoiceInput {
  /** Of a choice that the question has already; else it is found by its text, or new. */
  id?: string | null | undefined;
  text: string;
  metadata?: Json | undefined;
}

export interface QuestionInput {
  /** Absent: made from the text. */
  key?: string | null | undefined;
  text: string;
  kind: QuestionKind;
  required?: boolean | null | undefined;
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
  kind: QuestionKind;
  required: boolean;
  min: number | null;
  max: number | null;
  constraints: QuestionConstraints;
  choices: ChoiceDraft[];
  metadata: Json;
}

/** `metadata` undefined: as the choice has it already. */
export interface ChoiceDraft {
  id: string | undefined;
  text: string;
  metadata: Json | undefined;
}

const hasChoices = (kind: QuestionKind): boolean => kind === 'SINGLE_CHOICE' || kind === 'MULTIPLE_CHOICE';

/** Checks a question's members. What is wrong goes into `faults`, with `path` in front. */
export function readQuestion(input: QuestionInput, { path, faults }: { path: Path; faults: InputFaults }): QuestionDraft {
  const key = input.key ?? undefined;
  if (key !== undefined && !isQuestionKey(key)) {
    faults.add([...path, 'key'], 'A key begins with a letter a–z and goes on with up to 63 of a–z, 0–9 and _.');
  }
  return {
    key,
    text: faults.text([...path, 'text'], input.text, formLimits.questionTextLength),
    kind: input.kind,
    required: input.required ?? false,
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
    choices: change.choices ?? (hasChoices(kind) ? question.choices : []),
    metadata: change.metadata === undefined ? question.metadata : change.metadata,
    ...changedConstraints(question, { ...change, kind }),
  };
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
      metadata: choice.metadata === undefined ? undefined : faults.json([...at, index, 'metadata'], choice.metadata),
    };
  });
}
