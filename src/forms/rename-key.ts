import { renameKey } from '../expressions/parse.ts';
import type { FormDefinition } from './form-definition.ts';

/**
 * The definition with another name for a key in all conditions. A key is renamed for how it reads, and what its readers
 * mean is plain, so that nobody has to take their conditions apart first; a program that goes by keys is told by the
 * form's new version.
 */
export function withKeyRenamed(definition: FormDefinition, { from, to, now }: { from: string; to: string; now: Date }): FormDefinition {
  if (from === to) return definition;
  const renamed = (source: string): string => (source.includes(from) ? renameKey(source, { from, to }) : source);
  const questions = definition.questions.map((question) => {
    const visibleWhen = question.visibleWhen === undefined ? undefined : renamed(question.visibleWhen);
    return visibleWhen === undefined || visibleWhen === question.visibleWhen ? question : { ...question, visibleWhen, updatedAt: now.toISOString() };
  });
  const sections = definition.sections?.map((section) => (section.visibleWhen === undefined ? section : { ...section, visibleWhen: renamed(section.visibleWhen) }));
  return { ...definition, questions, ...(sections && { sections }) };
}
