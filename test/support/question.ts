import { newId } from '../../src/events/id.ts';
import type { FormDefinition, QuestionDefinition, QuestionKind } from '../../src/forms/form-definition.ts';

/** A question of a published version; everything but its kind can be left to the default. */
export function question(kind: QuestionKind, details: Partial<Omit<QuestionDefinition, 'choices'>> & { choices?: string[] } = {}): QuestionDefinition {
  const { choices = [], ...rest } = details;
  const at = new Date().toISOString();
  return {
    id: newId('q'),
    key: 'q',
    text: 'The question?',
    kind,
    required: false,
    min: null,
    max: null,
    metadata: {},
    createdAt: at,
    updatedAt: at,
    ...rest,
    choices: choices.map((text) => ({ id: newId('ch'), text, metadata: {} })),
  };
}

export const definitionOf = (...questions: QuestionDefinition[]): FormDefinition => ({ title: 'A form', questions });
