import type { Scope, Value } from '../expressions/value-type.ts';
import type { FormDefinition, QuestionDefinition } from '../forms/form-definition.ts';
import type { AnswerValue, StoredAnswers } from './response.entity.ts';

/** How answers to a question read in expressions: choices, which are stored by their ids, by their texts. */
export function valueReader({ kind, choices }: QuestionDefinition): (stored: AnswerValue) => Value {
  if (kind !== 'SINGLE_CHOICE' && kind !== 'MULTIPLE_CHOICE') return (stored) => stored;
  const texts = new Map<string, string>(choices.map(({ id, text }) => [id, text]));
  const textOf = (id: string): string => texts.get(id) ?? id;
  return (stored) => (Array.isArray(stored) ? stored.map(textOf) : textOf(stored as string));
}

/** How the answers to a form's version read in expressions. What is not asked was not answered either. */
export function scopeReader({ questions }: FormDefinition): (answers: StoredAnswers) => Scope {
  const readers = questions.map((question) => ({ id: question.id, key: question.key, read: valueReader(question) }));
  return (answers) => {
    const scope = new Map<string, Value>();
    for (const { id, key, read } of readers) {
      const answer = answers[id];
      if (answer) scope.set(key, read(answer.value));
    }
    return scope;
  };
}
