import { newId, type Id } from '../events/id.ts';
import { checkDefinition } from './definition-checks.ts';
import { isSameQuestion, matchChoices, newQuestion, withFormTranslations, withTitle, type FormTranslations } from './definition-edit.ts';
import type { FormDefinition, QuestionDefinition, SectionDefinition } from './form-definition.ts';
import type { InputFaults, Path } from './input-faults.ts';
import type { QuestionDraft } from './question-input.ts';
import { isSameSection, type SectionDraft } from './section-input.ts';

/** All that a form is to ask, with where each part stands in the input. Every question has a key, and no two the same. */
export interface WholeDraft {
  title: string;
  translations: FormTranslations;
  sections: { draft: SectionDraft; path: Path }[];
  /** `section`: the index of its section. */
  questions: { draft: QuestionDraft & { key: string }; path: Path; section: number | undefined }[];
}

/** Where a whole draft has been laid over a definition. */
interface Laid {
  faults: InputFaults;
  now: Date;
}

/**
 * A definition made into what the draft says. A question whose key is there already keeps its id, so that what was
 * answered to it stays together, and its choices theirs by their texts; a section keeps its id by its title, or else by
 * a question it has. The very same where nothing differs.
 */
export function redefined(definition: FormDefinition, draft: WholeDraft, { faults, now }: Laid): FormDefinition {
  const sections = laidSections(definition, draft);
  const byKey = new Map(definition.questions.map((question) => [question.key, question]));
  const questions = draft.questions.map((one) => {
    const sectionId = one.section === undefined ? undefined : sections[one.section]?.id;
    return laidQuestion(byKey.get(one.draft.key), { ...one, sectionId }, { faults, now });
  });
  const before = definition.sections ?? [];
  const framed = withFormTranslations(withTitle(definition, draft.title), draft.translations);
  if (framed === definition && isSameList(before, sections) && isSameList(definition.questions, questions)) return definition;

  const { sections: _, ...rest } = framed;
  const paths = new Map<string, Path>();
  for (const [index, { id }] of sections.entries()) paths.set(id, draft.sections[index]?.path ?? []);
  for (const [index, { id }] of questions.entries()) paths.set(id, draft.questions[index]?.path ?? []);
  const after = { ...rest, ...(sections.length > 0 && { sections }), questions };
  return checkDefinition(after, { faults, path: ['questions'], pathOf: (id) => paths.get(id) });
}

const isSameList = <Item>(before: readonly Item[], after: readonly Item[]): boolean =>
  before.length === after.length && before.every((item, index) => item === after[index]);

function laidQuestion(
  known: QuestionDefinition | undefined,
  { draft, path, sectionId }: WholeDraft['questions'][number] & { sectionId: Id<'sec'> | undefined },
  { faults, now }: Laid,
): QuestionDefinition {
  const inSection = sectionId === undefined ? {} : { sectionId };
  if (!known) return { ...newQuestion(draft, { key: draft.key, faults, path, now }), ...inSection };
  const { id, createdAt } = known;
  const choices = matchChoices(known.choices, draft.choices, { faults, path });
  const changed = { ...draft, ...inSection, id, choices, createdAt, updatedAt: now.toISOString() };
  return isSameQuestion(known, changed) ? known : changed;
}

function laidSections(definition: FormDefinition, { sections, questions }: WholeDraft): SectionDefinition[] {
  const left = new Set(definition.sections);
  const take = (known: SectionDefinition | undefined): SectionDefinition | undefined => (known && left.delete(known) ? known : undefined);
  const byTitle = sections.map(({ draft }) => take([...left].find(({ title }) => title === draft.title)));
  const sectionOfKey = new Map(definition.questions.map(({ key, sectionId }) => [key, sectionId]));
  return sections.map(({ draft }, index) => {
    const ids = new Set(questions.filter(({ section }) => section === index).map((question) => sectionOfKey.get(question.draft.key)));
    const known = byTitle[index] ?? take([...left].find(({ id }) => ids.has(id)));
    const section = { id: known?.id ?? newId('sec'), ...draft };
    return known && isSameSection(known, section) ? known : section;
  });
}

/** The same questions, choices and sections under new ids, for another form. */
export function copied(definition: FormDefinition, now: Date): FormDefinition {
  const { sections = [], questions, ...rest } = definition;
  const ids = new Map(sections.map(({ id }) => [id, newId('sec')]));
  const copies = questions.map(({ sectionId: old, ...question }) => {
    const sectionId = old && ids.get(old);
    const choices = question.choices.map((choice) => ({ ...choice, id: newId('ch') }));
    return { ...question, ...(sectionId && { sectionId }), id: newId('q'), choices, createdAt: now.toISOString(), updatedAt: now.toISOString() };
  });
  return { ...rest, ...(sections.length > 0 && { sections: sections.map((section) => ({ ...section, id: ids.get(section.id) ?? newId('sec') })) }), questions: copies };
}
