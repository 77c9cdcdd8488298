import { newId, type Id } from '../events/id.ts';
import { checkDefinition } from './definition-checks.ts';
import type { FormDefinition, QuestionDefinition, SectionDefinition } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { arranged, placeInSection } from './question-order.ts';
import { isSameSection, type SectionDraft } from './section-input.ts';

/** How an edit of sections reports faults. `position`: among the sections, from 0. */
export interface SectionEdit {
  faults: InputFaults;
  path: Path;
  /** For what it breaks elsewhere; default: `path`. */
  elsewhere?: Path;
  position: number | undefined;
  positionPath: Path;
  now: Date;
}

/**
 * The definition with one section more, of these questions, which stand next to each other and in no section yet. With
 * questions, it is where they are; without, at `position` or behind the others.
 */
export function withSection(
  definition: FormDefinition,
  draft: SectionDraft,
  edit: SectionEdit & { questionIds: readonly string[]; questionsPath: Path },
): { after: FormDefinition; section: SectionDefinition } {
  const { sections = [] } = definition;
  if (sections.length >= formLimits.sections) edit.faults.add(edit.path, `A form has at most ${formLimits.sections} sections.`);
  const section: SectionDefinition = { id: newId('sec'), ...draft };
  if (edit.questionIds.length > 0 && edit.position !== undefined) edit.faults.add(edit.positionPath, 'A section with questions is where they are; leave the position out.');
  const joined = withJoined(definition, section.id, edit);
  const at = edit.questionIds.length > 0 ? placeAmong(joined, section.id) : positionIn(edit, sections.length);
  const after = { ...joined, sections: sections.toSpliced(at, 0, section) };
  return { section, after: checkDefinition(after, { ...edit, positionPath: edit.questionsPath, pathOf: (id) => (id === section.id ? edit.path : undefined) }) };
}

/** The definition with a section as the draft says it, moved with its questions to `position`; the very same where nothing changes. */
export function withChangedSection(definition: FormDefinition, section: SectionDefinition, edit: SectionEdit & { draft: SectionDraft }): FormDefinition {
  const { sections = [] } = definition;
  const from = sections.indexOf(section);
  const at = edit.position === undefined ? from : positionIn(edit, sections.length - 1);
  const changed = { id: section.id, ...edit.draft };
  const kept = isSameSection(section, changed) ? section : changed;
  if (kept === section && at === from) return definition;
  const after = { ...definition, sections: sections.toSpliced(from, 1).toSpliced(at, 0, kept) };
  const moved = at === from ? after : withQuestionsMoved(after, section.id);
  return checkDefinition(moved, { ...edit, pathOf: (id) => (id === section.id ? edit.path : undefined) });
}

/** The definition without a section; its questions stay where they are, in none. */
export function withoutSection({ sections = [], ...definition }: FormDefinition, section: SectionDefinition, now: Date): FormDefinition {
  const others = sections.filter((other) => other !== section);
  const questions = definition.questions.map((question) => (question.sectionId === section.id ? withSectionId(question, undefined, now) : question));
  return { ...definition, questions, ...(others.length > 0 && { sections: others }) };
}

function withJoined(definition: FormDefinition, sectionId: Id<'sec'>, edit: SectionEdit & { questionIds: readonly string[]; questionsPath: Path }): FormDefinition {
  const { faults, questionIds, questionsPath, now } = edit;
  if (questionIds.length > formLimits.questions) {
    faults.add(questionsPath, `A form has at most ${formLimits.questions} questions; these are ${questionIds.length}.`);
    return definition;
  }
  const byId = new Map<string, QuestionDefinition>(definition.questions.map((question) => [question.id, question]));
  for (const [index, id] of questionIds.entries()) {
    const question = byId.get(id);
    if (!question) faults.add([...questionsPath, index], 'This form has no question with this id.', 'NOT_FOUND');
    else if (question.sectionId !== undefined) faults.add([...questionsPath, index], `"${question.key}" is in another section already.`);
  }
  const joining = new Set(questionIds);
  const questions = definition.questions.map((question) => (joining.has(question.id) && question.sectionId === undefined ? withSectionId(question, sectionId, now) : question));
  return { ...definition, questions };
}

function withSectionId({ sectionId: _, ...question }: QuestionDefinition, sectionId: Id<'sec'> | undefined, now: Date): QuestionDefinition {
  return { ...question, ...(sectionId !== undefined && { sectionId }), updatedAt: now.toISOString() };
}

/** Behind so many sections stands the first question of a section that is new. */
function placeAmong({ sections = [], questions }: FormDefinition, sectionId: string): number {
  const first = questions.findIndex((question) => question.sectionId === sectionId);
  const before = new Set<string | undefined>(questions.slice(0, first).map((question) => question.sectionId));
  return sections.findLastIndex(({ id }) => before.has(id)) + 1;
}

/** The questions of a section brought to where the section stands among the others. */
function withQuestionsMoved(definition: FormDefinition, sectionId: string): FormDefinition {
  const own = definition.questions.filter((question) => question.sectionId === sectionId);
  const others = definition.questions.filter((question) => question.sectionId !== sectionId);
  const at = placeInSection({ ...definition, questions: others }, sectionId);
  return arranged({ ...definition, questions: others.toSpliced(at, 0, ...own) });
}

function positionIn({ position, positionPath, faults }: SectionEdit, last: number): number {
  if (position === undefined) return last;
  if (position < 0 || position > last) faults.add(positionPath, `A position is between 0 and ${last} here.`);
  return position;
}
