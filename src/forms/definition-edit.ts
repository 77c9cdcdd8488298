import { canonical, type Json } from '../events/canonical-json.ts';
import { newId, type Id } from '../events/id.ts';
import type { ChoiceDefinition, FormDefinition, QuestionDefinition } from './form-definition.ts';
import { checkDefinition } from './definition-checks.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { arranged, placeInSection } from './question-order.ts';
import { withKeyRenamed } from './rename-key.ts';
import { makeQuestionKey } from './question-key.ts';
import type { ChoiceDraft, QuestionDraft } from './question-input.ts';
import { inNewSections, type NewSection } from './section-input.ts';

/** How an edit reports faults, where in the input it stands, and what time it is. */
export interface Edit {
  faults: InputFaults;
  path: Path;
  /** For what it breaks elsewhere; default: `path`. */
  elsewhere?: Path;
  now: Date;
}

/** Where an edit puts a question: absent members leave it to what is there. */
export interface Placing {
  position: number | undefined;
  positionPath: Path;
  /** null: into none. */
  sectionId?: string | null | undefined;
}

/**
 * A form's first definition. `sections`: the last so many of the questions are theirs, in their order. `pathOf`: where
 * the question of an index stands in the input, if not in one list at `path`.
 */
export function newDefinition(
  title: string,
  drafts: readonly QuestionDraft[],
  edit: Edit & { sections?: readonly NewSection[]; pathOf?: (index: number) => Path },
): FormDefinition {
  const { faults, path, now, sections = [], pathOf = (index) => [...path, index] } = edit;
  if (drafts.length > formLimits.questions) {
    faults.add(path, `A form has at most ${formLimits.questions} questions; these are ${drafts.length}.`);
    return { title, questions: [] };
  }
  const keys = assignKeys(drafts, { ...edit, pathOf });
  const questions = drafts.map((draft, index) => newQuestion(draft, { key: keys[index] ?? '', faults, path: pathOf(index), now }));
  const definition = inNewSections({ title, questions }, sections);
  const paths = new Map<string, Path>(questions.map(({ id }, index) => [id, pathOf(index)]));
  for (const [index, { id }] of (definition.sections ?? []).entries()) paths.set(id, ['sections', index]);
  return checkDefinition(definition, { faults, path, pathOf: (id) => paths.get(id) });
}

/** The definition with one question more, at `position` (from 0), or at the end of its section or of the form. */
export function withQuestion(definition: FormDefinition, draft: QuestionDraft, edit: Edit & Placing): FormDefinition {
  const { faults, path, now } = edit;
  const { questions } = definition;
  if (questions.length >= formLimits.questions) faults.add(path, `A form has at most ${formLimits.questions} questions.`);
  const key = freeKey(draft, { others: questions, faults, path });
  const sectionId = edit.sectionId ?? undefined;
  const question = inSection(newQuestion(draft, { key, faults, path, now }), sectionId);
  const end = sectionId === undefined ? questions.length : placeInSection(definition, sectionId);
  const at = positionIn({ ...edit, otherwise: end }, questions.length);
  return checkDefinition(arranged({ ...definition, questions: questions.toSpliced(at, 0, question) }), { ...edit, pathOf: (id) => (id === question.id ? path : undefined) });
}

/**
 * The definition with a question as the draft says it, moved to `position`; the very same where nothing changes. Where
 * its key changes, the conditions that read it go on to do so.
 */
export function withChangedQuestion(definition: FormDefinition, question: QuestionDefinition, edit: Edit & Placing & { draft: QuestionDraft }): FormDefinition {
  const { draft, faults, path, now } = edit;
  const from = definition.questions.indexOf(question);
  const others = definition.questions.toSpliced(from, 1);
  const sectionId = edit.sectionId === undefined ? question.sectionId : (edit.sectionId ?? undefined);
  const changed = inSection(
    {
      ...draft,
      id: question.id,
      key: freeKey(draft, { others, faults, path }),
      choices: matchChoices(question.choices, draft.choices, { faults, path }),
      createdAt: question.createdAt,
      updatedAt: now.toISOString(),
    },
    sectionId,
  );
  const stays = sectionId === question.sectionId ? from : placeInSection({ ...definition, questions: others }, sectionId ?? question.sectionId, from);
  const at = positionIn({ ...edit, otherwise: stays }, others.length);
  const kept = isSameQuestion(question, changed) ? question : changed;
  if (kept === question && at === from) return definition;
  const after = arranged({ ...definition, questions: others.toSpliced(at, 0, kept) });
  const renamed = withKeyRenamed(after, { from: question.key, to: kept.key, now });
  return checkDefinition(renamed, { ...edit, pathOf: (id) => (id === question.id ? path : undefined) });
}

function inSection({ sectionId: _, ...question }: QuestionDefinition, sectionId: string | undefined): QuestionDefinition {
  return sectionId === undefined ? question : { ...question, sectionId: sectionId as Id<'sec'> };
}

/** What reads it is not looked at: see `checkDefinition`. */
export const withoutQuestion = (definition: FormDefinition, question: QuestionDefinition): FormDefinition => ({
  ...definition,
  questions: definition.questions.filter((other) => other !== question),
});

/** Two definitions are one version if they differ in nothing a respondent or receiver could see. */
export const withTitle = (definition: FormDefinition, title: string): FormDefinition =>
  definition.title === title ? definition : { ...definition, title };

/** The definition with these translations of the form's own texts; the very same where they are there already. */
export function withFormTranslations(definition: FormDefinition, translations: FormTranslations): FormDefinition {
  const { titleTranslations: _title, descriptionTranslations: _description, ...rest } = definition;
  const isSame = translationNames.every((name) => JSON.stringify(translations[name] ?? []) === JSON.stringify(definition[name]?.map(({ locale, text }) => ({ locale, text })) ?? []));
  return isSame ? definition : { ...rest, ...translations };
}

export const translationNames = ['titleTranslations', 'descriptionTranslations'] as const;
/** Absent where there are none. */
export type FormTranslations = Pick<FormDefinition, (typeof translationNames)[number]>;

function newQuestion(draft: QuestionDraft, place: Edit & { key: string }): QuestionDefinition {
  const { key, now } = place;
  const choices = matchChoices([], draft.choices, place);
  return { ...draft, id: newId('q'), key, choices, createdAt: now.toISOString(), updatedAt: now.toISOString() };
}

/** Keys for all questions of a new form: the given ones first, so that a made one never takes a name that was given. */
function assignKeys(drafts: readonly QuestionDraft[], { faults, pathOf }: { faults: InputFaults; pathOf: (index: number) => Path }): string[] {
  const taken = new Set<string>();
  for (const [index, { key }] of drafts.entries()) {
    if (key === undefined) continue;
    if (taken.has(key)) faults.add([...pathOf(index), 'key'], keyTaken(key), 'TAKEN');
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
  return drafts.map(({ id, text, translations, metadata }) => {
    const known = id === undefined ? byText.get(text) : byId.get(id);
    const translated = translations ?? known?.translations ?? [];
    return { id: known?.id ?? newId('ch'), text, metadata: metadata ?? known?.metadata ?? {}, ...(translated.length > 0 && { translations: translated }) };
  });
}

function positionIn(edit: Edit & Placing & { otherwise: number }, last: number): number {
  const { position = edit.otherwise } = edit;
  if (position < 0 || position > last) edit.faults.add(edit.positionPath, `A position is between 0 and ${last} here.`);
  return position;
}

/**
 * The text of a question without its times, with sorted keys: jsonb does not keep the order of metadata. A question
 * from before there were constraints is as one that has none.
 */
const comparable = ({ updatedAt: _, constraints = {}, ...question }: QuestionDefinition): string =>
  JSON.stringify(canonical({ ...question, constraints } as unknown as Json));

const isSameQuestion = (a: QuestionDefinition, b: QuestionDefinition): boolean => comparable(a) === comparable(b);
