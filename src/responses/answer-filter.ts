import { compileCondition, type CompiledExpression, type TypeOfKey } from '../expressions/compile.ts';
import { ExpressionFault } from '../expressions/expression-fault.ts';
import { typeOfAnswer } from '../expressions/value-type.ts';
import type { Id } from '../events/id.ts';
import type { FormDefinition } from '../forms/form-definition.ts';
import type { PublishedForms } from '../forms/published-forms.ts';
import { UserError } from '../user-error.ts';
import { answersOf } from './answers.ts';
import type { SubmittedResponse } from './find-response.ts';

/** A condition that responses are looked at with, such as `age > 17`. */
export interface AnswerFilter {
  /** Whether it is true of a response. What cannot be told, is not. Throws UserError where its form has become one of which it makes no sense. */
  holds(response: SubmittedResponse): Promise<boolean>;
}

/**
 * Makes a condition over the answers to a form ready. It is read against the form as it is now, and again for each of
 * the versions that responses were given to: a question that one of them does not have was not answered there. Throws
 * UserError where it makes no sense, at `where`.
 */
export async function createAnswerFilter(
  forms: Pick<PublishedForms, 'get' | 'version'>,
  { formId, where }: { formId: Id<'form'>; where: string },
): Promise<AnswerFilter> {
  const form = await forms.get(formId);
  if (!form) throw new UserError('NOT_FOUND', 'There is no such form.', ['formId']);
  const present = form.definition;
  const compiled = new WeakMap<FormDefinition, CompiledExpression>();
  const compile = (definition: FormDefinition): CompiledExpression => {
    const known = compiled.get(definition) ?? compileFor(where, [definition, present]);
    compiled.set(definition, known);
    return known;
  };
  compile(present);

  return {
    holds: async (response) => {
      const definition = await forms.version(response.formId, response.formVersion);
      if (!definition) return false; // gone with its form
      const scope = new Map(answersOf(response, definition).map(({ question, value }) => [question.key, value]));
      return compile(definition).evaluate(scope) === true;
    },
  };
}

function compileFor(where: string, definitions: readonly FormDefinition[]): CompiledExpression {
  const typeOf: TypeOfKey = (key) => {
    const question = definitions.flatMap(({ questions }) => questions).find((one) => one.key === key);
    return question ? typeOfAnswer(question) : { reason: `This form has no question with the key ${JSON.stringify(key)}.` };
  };
  try {
    return compileCondition(where, typeOf);
  } catch (error) {
    if (error instanceof ExpressionFault) throw new UserError('INVALID_INPUT', error.message, ['where']);
    throw error;
  }
}
