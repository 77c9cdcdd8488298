import type { Id } from '../events/id.ts';
import type { FormDefinition, QuestionDefinition } from '../forms/form-definition.ts';
import { compileReader } from './answer-value.ts';
import type { ReadValue } from './read-value.ts';
import { compileVisibility, type Visibility } from './visibility.ts';

/** A question with its rules worked out. `place` is its place in the form, from 0. */
export interface CompiledQuestion {
  place: number;
  id: Id<'q'>;
  key: string;
  text: string;
  required: boolean;
  read: ReadValue;
}

/** A form's version made ready to check answers: made once, used for every response. */
export interface CompiledForm {
  questions: readonly CompiledQuestion[];
  byId: ReadonlyMap<string, CompiledQuestion>;
  byKey: ReadonlyMap<string, CompiledQuestion>;
  /** Undefined as a value: several questions have this text. */
  byText: ReadonlyMap<string, CompiledQuestion | undefined>;
  /** Undefined: all questions are always asked. */
  visibility: Visibility | undefined;
}

/** Makes the validator of a form's version. Choices and bounds are looked at here, so that an answer costs a look-up and a comparison. */
export function compileForm(definition: FormDefinition): CompiledForm {
  const questions = definition.questions.map(compileQuestion);
  return {
    questions,
    byId: new Map(questions.map((question) => [question.id, question])),
    byKey: new Map(questions.map((question) => [question.key, question])),
    byText: byTextOf(definition, questions),
    visibility: compileVisibility(definition),
  };
}

/** Questions by their texts; a translation names one where no other question has it, and none has it as its own text. */
function byTextOf(definition: FormDefinition, questions: readonly CompiledQuestion[]): Map<string, CompiledQuestion | undefined> {
  const byText = new Map<string, CompiledQuestion | undefined>();
  for (const question of questions) byText.set(question.text, byText.has(question.text) ? undefined : question);
  const translated = new Map<string, CompiledQuestion | undefined>();
  for (const [place, { translations = [] }] of definition.questions.entries()) {
    for (const { text } of translations) translated.set(text, translated.has(text) && translated.get(text) !== questions[place] ? undefined : questions[place]);
  }
  return new Map([...translated, ...byText]);
}

const compileQuestion = (question: QuestionDefinition, place: number): CompiledQuestion => ({
  place,
  id: question.id,
  key: question.key,
  text: question.text,
  required: question.required,
  read: compileReader(question),
});
