import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newDefinition, withChangedQuestion, withoutQuestion, withQuestion, withTitle } from '../../src/forms/definition-edit.ts';
import type { FormDefinition } from '../../src/forms/form-definition.ts';
import { createInputFaults } from '../../src/forms/input-faults.ts';
import { changedQuestion, readQuestion, type QuestionChange, type QuestionInput } from '../../src/forms/question-input.ts';

const now = new Date('2026-11-21T00:00:00Z');
const edit = () => ({ faults: createInputFaults(), path: [], now, positionPath: ['position'] });
const draft = (input: QuestionInput) => readQuestion(input, { path: [], faults: createInputFaults() });
const define = (inputs: QuestionInput[]): FormDefinition => newDefinition('Form', inputs.map(draft), edit());
const change = (definition: FormDefinition, index: number, input: QuestionChange, position?: number) => {
  const question = definition.questions[index]!;
  return withChangedQuestion(definition, question, { ...edit(), draft: draft(changedQuestion(question, input)), position });
};
const text = (name: string): QuestionInput => ({ text: name, kind: 'TEXT' });

test('a change that says what is there already gives the very same definition, whatever the order of its metadata', () => {
  const definition = define([{ text: 'Q', kind: 'SINGLE_CHOICE', choices: [{ text: 'a', metadata: { x: 1, y: 2 } }], metadata: { a: 1, b: { c: 1, d: 2 } } }]);
  expect(change(definition, 0, { text: 'Q', metadata: { b: { d: 2, c: 1 }, a: 1 }, choices: [{ text: 'a', metadata: { y: 2, x: 1 } }] }, 0)).toBe(definition);
  expect(withTitle(definition, 'Form')).toBe(definition);
  expect(change(definition, 0, { metadata: { a: 1 } })).not.toBe(definition);
});

test('only the question that changed is another object', () => {
  const definition = define(['a', 'b', 'c'].map(text));
  const after = change(definition, 1, { required: true });
  expect(after.questions.map((question, index) => question === definition.questions[index])).toEqual([true, false, true]);
});

test('a choice renamed to the text of another keeps its own id', () => {
  const definition = define([{ text: 'Q', kind: 'SINGLE_CHOICE', choices: [{ text: 'a' }, { text: 'b' }] }]);
  const [a, b] = definition.questions[0]!.choices;
  const swapped = change(definition, 0, { choices: [{ id: a!.id, text: 'b' }, { id: b!.id, text: 'a' }] });
  expect(swapped.questions[0]!.choices).toMatchObject([{ id: a!.id, text: 'b' }, { id: b!.id, text: 'a' }]);
  const taken = change(definition, 0, { choices: [{ id: a!.id, text: 'b' }, { text: 'a' }] });
  expect(taken.questions[0]!.choices[1]!.id).not.toBe(a!.id);
});

test('a key that was given is never taken by one that is made', () => {
  expect(define([text('Age'), { ...text('Old'), key: 'age' }]).questions.map(({ key }) => key)).toEqual(['age_2', 'age']);
});

test('whatever the edits, keys and ids stay unique and nothing is lost', () => {
  const step = fc.record({ kind: fc.constantFrom('add', 'move', 'rename', 'remove'), at: fc.nat(9), to: fc.nat(9), name: fc.constantFrom('x', 'y', 'z') });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      let definition = define([text('x')]);
      for (const { kind, at, to, name } of steps) {
        const before = definition.questions.length;
        const index = before === 0 ? 0 : at % before;
        if (kind === 'add') definition = withQuestion(definition, draft(text(name)), { ...edit(), position: to % (before + 1) });
        else if (before === 0) continue;
        else if (kind === 'move') definition = change(definition, index, {}, to % before);
        else if (kind === 'rename') definition = change(definition, index, { text: name });
        else definition = withoutQuestion(definition, definition.questions[index]!);
        expect(definition.questions).toHaveLength(before + (kind === 'add' ? 1 : kind === 'remove' ? -1 : 0));
        expect(new Set(definition.questions.map(({ key }) => key)).size).toBe(definition.questions.length);
        expect(new Set(definition.questions.map(({ id }) => id)).size).toBe(definition.questions.length);
      }
    }),
  );
});
