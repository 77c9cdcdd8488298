import { canonical, type Json } from '../events/canonical-json.ts';
import { newId } from '../events/id.ts';
import type { ChoiceDefinition, FormDefinition, QuestionDefinition } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { patternSize } from '../linear-pattern.ts';
import { makeQuestionKey } from './question-key.ts';
import type { ChoiceDraft, QuestionDraft } from './question-input.ts';

/** How an edit reports faults, where in the input it stands, and what time it is. */
export interface Edit {
  faults: InputFaults;
  path: Path;
  now: Date;
}

/** A form's first definition. */
export function newDefinition(title: string, drafts: readonly QuestionDraft[], edit: Edit): FormDefinition {
  const { faults, path, now } = edit;
  if (drafts.length > formLimits.questions) {
    faults.add(path, `A form has at most ${formLimits.questions} questions; these are ${drafts.length}.`);
    return { title, questions: [] };
  }
  const keys = assignKeys(drafts, edit);
  const questions = drafts.map((draft, index) =>
    newQuestion(draft, { key: keys[index] ?? '', faults, path: [...path, index], now }),
  );
  return checkSize({ title, questions }, edit);
}

/** The definition with one question more, at `position` (from 0) or at its end. */
export function withQuestion(
  definition: FormDefinition,
  draft: QuestionDraft,
  edit: Edit & { position: number | undefined; positionPath: Path },
): FormDefinition {
  const { faults, path, now } = edit;
  const { questions } = definition;
  if (questions.length >= formLimits.questions) faults.add(path, `A form has at most ${formLimits.questions} questions.`);
  const key = freeKey(draft, { others: questions, faults, path });
  const question = newQuestion(draft, { key, faults, path, now });
  const at = positionIn(edit, questions.length);
  return checkSize({ ...definition, questions: questions.toSpliced(at, 0, question) }, edit);
}

/** The definition with a question as the draft says it, moved to `position`; the very same where nothing changes. */
export function withChangedQuestion(
  definition: FormDefinition,
  question: QuestionDefinition,
  edit: Edit & { draft: QuestionDraft; position: number | undefined; positionPath: Path },
): FormDefinition {
  const { draft, faults, path, now } = edit;
  const from = definition.questions.indexOf(question);
  const others = definition.questions.toSpliced(from, 1);
  const changed: QuestionDefinition = {
    ...question,
    ...draft,
    key: freeKey(draft, { others, faults, path }),
    choices: matchChoices(question.choices, draft.choices, { faults, path }),
    updatedAt: now.toISOString(),
  };
  const at = edit.position === undefined ? from : positionIn(edit, others.length);
  const kept = isSameQuestion(question, changed) ? question : changed;
  if (kept === question && at === from) return definition;
  return checkSize({ ...definition, questions: others.toSpliced(at, 0, kept) }, edit);
}

export const withoutQuestion = (definition: FormDefinition, question: QuestionDefinition): FormDefinition => ({
  ...definition,
  questions: definition.questions.filter((other) => other !== question),
});

/** Two definitions are one version if they differ in nothing a respondent or receiver could see. */
export const withTitle = (definition: FormDefinition, title: string): FormDefinition =>
  definition.title === title ? definition : { ...definition, title };

function newQuestion(draft: QuestionDraft, place: Edit & { key: string }): QuestionDefinition {
  const { key, now } = place;
  const choices = matchChoices([], draft.choices, place);
  return { ...draft, id: newId('q'), key, choices, createdAt: now.toISOString(), updatedAt: now.toISOString() };
}

/** Keys for all questions of a new form: the given ones first, so that a made one never takes a name that was given. */
function assignKeys(drafts: readonly QuestionDraft[], { faults, path }: Edit): string[] {
  const taken = new Set<string>();
  for (const [index, { key }] of drafts.entries()) {
    if (key === undefined) continue;
    if (taken.has(key)) faults.add([...path, index, 'key'], keyTaken(key), 'TAKEN');
    taken.add(key);
  }
  return drafts.map((draft) => {
    const key = draft.key ?? makeQuestionKey(draft.text, taken);
    taken.add(key);
    return key;
  });
}

function freeKey(
  draft: QuestionDraft,
  { others, faults, path }: { others: readonly QuestionDefinition[]; faults: InputFaults; path: Path },
): string {
  const taken = new Set(others.map((question) => question.key));
  if (draft.key === undefined) return makeQuestionKey(draft.text, taken);
  if (taken.has(draft.key)) faults.add([...path, 'key'], keyTaken(draft.key), 'TAKEN');
  return draft.key;
}

const keyTaken = (key: string): string => `Another question of this form has the key "${key}".`;

/** The choices a draft asks for: those that are there already, by id or else by text, keep their ids. */
function matchChoices(
  existing: readonly ChoiceDefinition[],
  drafts: readonly ChoiceDraft[],
  { faults, path }: { faults: InputFaults; path: Path },
): ChoiceDefinition[] {
  const byId = new Map<string, ChoiceDefinition>(existing.map((choice) => [choice.id, choice]));
  const named = new Set<string>();
  for (const [index, { id }] of drafts.entries()) {
    if (id === undefined) continue;
    const at = [...path, 'choices', index, 'id'];
    if (!byId.has(id)) faults.add(at, 'This question has no choice with this id.', 'NOT_FOUND');
    else if (named.has(id)) faults.add(at, 'Another entry names the same choice.');
    named.add(id);
  }
  const byText = new Map(existing.filter(({ id }) => !named.has(id)).map((choice) => [choice.text, choice]));
  return drafts.map(({ id, text, metadata }) => {
    const known = id === undefined ? byText.get(text) : byId.get(id);
    return { id: known?.id ?? newId('ch'), text, metadata: metadata ?? known?.metadata ?? {} };
  });
}

function positionIn(edit: Edit & { position: number | undefined; positionPath: Path }, last: number): number {
  const { position = last } = edit;
  if (position < 0 || position > last) edit.faults.add(edit.positionPath, `A position is between 0 and ${last} here.`);
  return position;
}

function checkSize(definition: FormDefinition, { faults, path }: Edit): FormDefinition {
  const bytes = Buffer.byteLength(JSON.stringify(definition));
  if (bytes > formLimits.definitionBytes) {
    faults.add(path, `All questions and choices together take ${bytes} bytes as JSON; at most ${formLimits.definitionBytes} are possible.`);
  }
  const patterns = definition.questions.reduce((sum, { constraints }) => sum + (constraints?.pattern ? patternSize(constraints.pattern) : 0), 0);
  if (patterns > formLimits.patternsSize) {
    faults.add(path, `All patterns of a form together make programs of at most ${formLimits.patternsSize} instructions; these make ${patterns}.`);
  }
  return definition;
}

/**
 * The text of a question without its times, with sorted keys: jsonb does not keep the order of metadata. A question
 * from before there were constraints is as one that has none.
 */
const comparable = ({ updatedAt: _, constraints = {}, ...question }: QuestionDefinition): string =>
  JSON.stringify(canonical({ ...question, constraints } as unknown as Json));

const isSameQuestion = (a: QuestionDefinition, b: QuestionDefinition): boolean => comparable(a) === comparable(b);
