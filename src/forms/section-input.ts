import { canonical, type Json } from '../events/canonical-json.ts';
import { newId } from '../events/id.ts';
import type { FormDefinition, SectionDefinition } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import { readCondition, type QuestionInput } from './question-input.ts';
import { readTranslations, type TranslationInput } from './translations.ts';

export interface SectionInput {
  title: string;
  titleTranslations?: readonly TranslationInput[] | null | undefined;
  description?: string | null | undefined;
  descriptionTranslations?: readonly TranslationInput[] | null | undefined;
  visibleWhen?: string | null | undefined;
  metadata?: Json | undefined;
}

/** A section of a new form, with its questions. */
export interface NewSectionInput extends SectionInput {
  questions?: readonly QuestionInput[] | null | undefined;
}

/** Members that are absent stay as they are. */
export type SectionChange = { [Member in keyof SectionInput]?: SectionInput[Member] | null | undefined };

/** A section whose members are sound by themselves; its condition is looked at when its form is whole. */
export type SectionDraft = Omit<SectionDefinition, 'id'>;

/** A section of a new form: how many questions are its own. */
export interface NewSection {
  draft: SectionDraft;
  questions: number;
}

/** Checks a section's members. What is wrong goes into `faults`, with `path` in front. */
export function readSection(input: SectionInput, { path, faults }: { path: Path; faults: InputFaults }): SectionDraft {
  const translations = (name: 'titleTranslations' | 'descriptionTranslations', maxLength: number) => readTranslations(input[name], { path: [...path, name], faults, maxLength });
  const titleTranslations = translations('titleTranslations', formLimits.titleLength);
  const descriptionTranslations = translations('descriptionTranslations', formLimits.descriptionLength);
  const visibleWhen = readCondition(input.visibleWhen, { path: [...path, 'visibleWhen'], faults });
  return {
    title: faults.text([...path, 'title'], input.title, formLimits.titleLength),
    ...(titleTranslations.length > 0 && { titleTranslations }),
    description: faults.optionalText([...path, 'description'], input.description, formLimits.descriptionLength),
    ...(descriptionTranslations.length > 0 && { descriptionTranslations }),
    ...(visibleWhen !== undefined && { visibleWhen }),
    metadata: faults.json([...path, 'metadata'], input.metadata),
  };
}

/** A section after a change, to be read like a new one. */
export function changedSection(section: SectionDefinition, change: SectionChange): SectionInput {
  const now = <Name extends keyof SectionInput & keyof SectionDefinition>(name: Name) => (change[name] === undefined ? section[name] : change[name]);
  return {
    title: change.title ?? section.title,
    titleTranslations: now('titleTranslations'),
    description: now('description'),
    descriptionTranslations: now('descriptionTranslations'),
    visibleWhen: now('visibleWhen'),
    metadata: now('metadata'),
  };
}

export const isSameSection = (a: SectionDefinition, b: SectionDefinition): boolean =>
  JSON.stringify(canonical(a as unknown as Json)) === JSON.stringify(canonical(b as unknown as Json));

/** The definition with sections of the last of its questions. */
export function inNewSections(definition: FormDefinition, drafts: readonly NewSection[]): FormDefinition {
  if (drafts.length === 0) return definition;
  const sections = drafts.map(({ draft }) => ({ id: newId('sec'), ...draft }));
  const owners = sections.flatMap(({ id }, index) => Array.from({ length: drafts[index]?.questions ?? 0 }, () => id));
  const first = definition.questions.length - owners.length;
  const questions = definition.questions.map((question, place) => {
    const sectionId = owners[place - first];
    return sectionId === undefined ? question : { ...question, sectionId };
  });
  return { ...definition, sections, questions };
}
