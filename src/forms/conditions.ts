import { compileCondition, type CompiledExpression, type TypeOfKey } from '../expressions/compile.ts';
import { typeOfAnswer, type ValueType } from '../expressions/value-type.ts';
import type { Id } from '../events/id.ts';
import type { FormDefinition } from './form-definition.ts';

/** A condition of a question or section, with what it belongs to. */
export interface Conditioned {
  id: Id<'q' | 'sec'>;
  /** For messages: the question's key, or the section's title. */
  name: string;
  source: string;
  /** The place, from 0, of the first question it decides on: it reads those before. */
  place: number;
}

/** All conditions of a form's version: its sections' first, each in the form's order. */
export function conditionsOf({ questions, sections = [] }: FormDefinition): Conditioned[] {
  const ofSections = sections.flatMap(({ id, title, visibleWhen }) => {
    if (visibleWhen === undefined) return [];
    const first = questions.findIndex(({ sectionId }) => sectionId === id);
    // without questions it decides on none, whichever it reads
    return [{ id, name: `section ${JSON.stringify(title)}`, source: visibleWhen, place: first === -1 ? questions.length : first }];
  });
  const ofQuestions = questions.flatMap(({ id, key, visibleWhen }, place) => (visibleWhen === undefined ? [] : [{ id, name: key, source: visibleWhen, place }]));
  return [...ofSections, ...ofQuestions];
}

/** Makes the conditions of a form's version ready. Throws ExpressionFault for one that makes no sense at its place. */
export function createConditionCompiler({ questions }: FormDefinition): (condition: Pick<Conditioned, 'source' | 'place'>) => CompiledExpression {
  const places = new Map(questions.map(({ key }, place) => [key, place]));
  const types = new Map<number, ValueType>();
  const typeBefore = (place: number): TypeOfKey => (key) => {
    const at = places.get(key);
    const question = at === undefined ? undefined : questions[at];
    if (at === undefined || !question) return { reason: `This form has no question with the key ${JSON.stringify(key)}.` };
    if (at >= place) return { reason: `"${key}" is not asked before this; a condition reads answers to earlier questions.` };
    const type = types.get(at) ?? typeOfAnswer(question);
    types.set(at, type);
    return type;
  };
  return ({ source, place }) => compileCondition(source, typeBefore(place));
}
