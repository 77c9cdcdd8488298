import type { FormDefinition, QuestionDefinition, SectionDefinition } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';

/** A section whose questions do not stand next to each other, if there is one. */
export function tornSection({ sections = [], questions }: FormDefinition): SectionDefinition | undefined {
  const left = new Set<string>();
  for (const [place, { sectionId }] of questions.entries()) {
    const before = questions[place - 1]?.sectionId;
    if (sectionId === before) continue;
    if (before !== undefined) left.add(before);
    if (sectionId !== undefined && left.has(sectionId)) return sections.find(({ id }) => id === sectionId);
  }
  return undefined;
}

/** The definition with its sections in the order of their questions; those without questions keep their places. */
export function arranged(definition: FormDefinition): FormDefinition {
  const { sections, questions } = definition;
  if (!sections) return definition;
  const order = [...new Set(questions.flatMap(({ sectionId }) => sectionId ?? []))];
  const filled = new Set<string>(order);
  const byId = new Map<string, SectionDefinition>(sections.map((section) => [section.id, section]));
  const next = order.values();
  return { ...definition, sections: sections.map((section) => (filled.has(section.id) ? (byId.get(next.next().value ?? '') ?? section) : section)) };
}

/**
 * Where a question goes that joins a section: behind its last question, or else behind those of the sections before.
 * `otherwise`: where it goes if there is no such section.
 */
export function placeInSection({ sections = [], questions }: FormDefinition, sectionId: string | undefined, otherwise = questions.length): number {
  const at = sections.findIndex(({ id }) => id === sectionId);
  if (at === -1) return otherwise;
  for (const { id } of sections.slice(0, at + 1).toReversed()) {
    const last = questions.findLastIndex((question) => question.sectionId === id);
    if (last !== -1) return last + 1;
  }
  const after = new Set<string | undefined>(sections.slice(at + 1).map(({ id }) => id));
  const first = questions.findIndex((question) => after.has(question.sectionId));
  return first === -1 ? questions.length : first;
}

/** The definition with its questions in the order of these ids; the very same where that is their order. */
export function reordered(definition: FormDefinition, ids: readonly string[], { faults, path }: { faults: InputFaults; path: Path }): FormDefinition {
  if (ids.length > formLimits.questions) {
    faults.add(path, `A form has at most ${formLimits.questions} questions; these are ${ids.length}.`);
    return definition;
  }
  const byId = new Map<string, QuestionDefinition>(definition.questions.map((question) => [question.id, question]));
  const seen = new Set<string>();
  for (const [index, id] of ids.entries()) {
    if (!byId.has(id)) faults.add([...path, index], 'This form has no question with this id.', 'NOT_FOUND');
    else if (seen.has(id)) faults.add([...path, index], 'This question is named twice.');
    seen.add(id);
  }
  const missing = definition.questions.filter(({ id }) => !seen.has(id));
  if (missing.length > 0) faults.add(path, `Name all questions of the form; ${missing.length} are missing: ${listed(missing)}.`);
  if (definition.questions.every(({ id }, place) => ids[place] === id)) return definition;
  return arranged({ ...definition, questions: ids.flatMap((id) => byId.get(id) ?? []) });
}

function listed(questions: readonly QuestionDefinition[]): string {
  const shown = questions.slice(0, 10).map(({ id, key }) => `${key} (${id})`);
  return questions.length > shown.length ? `${shown.join(', ')} and ${questions.length - shown.length} more` : shown.join(', ');
}
