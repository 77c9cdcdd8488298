import fc from 'fast-check';
import { expect, test } from 'vitest';
import { newDefinition, withChangedQuestion, withoutQuestion, withQuestion } from '../../src/forms/definition-edit.ts';
import type { FormDefinition } from '../../src/forms/form-definition.ts';
import { createInputFaults } from '../../src/forms/input-faults.ts';
import { reordered } from '../../src/forms/question-order.ts';
import { changedQuestion, readQuestion, type QuestionInput } from '../../src/forms/question-input.ts';
import { withChangedSection, withoutSection, withSection } from '../../src/forms/section-edit.ts';
import { readSection } from '../../src/forms/section-input.ts';
import { UserError } from '../../src/user-error.ts';

const now = new Date('2026-11-21T00:00:00Z');
const draft = (input: QuestionInput) => readQuestion(input, { path: [], faults: createInputFaults() });
const section = (title: string) => readSection({ title }, { path: [], faults: createInputFaults() });

/** Runs one edit; what is refused changes nothing. */
function attempt(definition: FormDefinition, edit: (common: { faults: ReturnType<typeof createInputFaults>; path: []; positionPath: string[]; now: Date }) => FormDefinition): FormDefinition {
  const faults = createInputFaults();
  try {
    const after = edit({ faults, path: [], positionPath: ['position'], now });
    faults.throwIfAny();
    return after;
  } catch (error) {
    if (error instanceof UserError) return definition;
    throw error;
  }
}

const step = fc.record({
  kind: fc.constantFrom('add', 'addInto', 'move', 'moveInto', 'moveOut', 'remove', 'reorder', 'addSection', 'addSection', 'moveSection', 'removeSection'),
  at: fc.nat(7), to: fc.option(fc.nat(9), { nil: undefined }), count: fc.nat(3),
});

function edited(definition: FormDefinition, { kind, at, to, count }: typeof step extends fc.Arbitrary<infer Step> ? Step : never): FormDefinition {
  const { questions, sections = [] } = definition;
  const question = questions[at % Math.max(1, questions.length)];
  const chosen = sections[at % Math.max(1, sections.length)];
  return attempt(definition, (common) => {
    if (kind === 'add' || kind === 'addInto') {
      return withQuestion(definition, draft({ text: 'Q', kind: 'TEXT' }), { ...common, position: to, sectionId: kind === 'add' ? undefined : chosen?.id });
    }
    if (kind === 'addSection') return withSection(definition, section('S'), { ...common, position: undefined, questionIds: questions.slice(at, at + count).map(({ id }) => id), questionsPath: [] }).after;
    if (kind === 'reorder') return reordered(definition, [...questions.slice(at), ...questions.slice(0, at)].map(({ id }) => id), common);
    if (kind === 'moveSection' || kind === 'removeSection') {
      if (!chosen) return definition;
      return kind === 'removeSection' ? withoutSection(definition, chosen, now) : withChangedSection(definition, chosen, { ...common, draft: section('S'), position: to });
    }
    if (!question) return definition;
    if (kind === 'remove') return withoutQuestion(definition, question);
    const sectionId = { move: undefined, moveInto: chosen?.id, moveOut: null }[kind];
    return withChangedQuestion(definition, question, { ...common, draft: draft(changedQuestion(question, {})), position: to, sectionId });
  });
}

test('whatever the edits, the questions of a section stay next to each other and sections in the order of their questions', () => {
  fc.assert(
    fc.property(fc.array(step, { minLength: 15, maxLength: 40 }), (steps) => {
      let definition = newDefinition('Form', 'abcdefgh'.split('').map((text) => draft({ text, kind: 'TEXT' })), { faults: createInputFaults(), path: [], now });
      for (const one of steps) {
        const before = definition;
        definition = edited(definition, one);
        const runs = definition.questions.flatMap(({ sectionId }, place) => (sectionId === undefined || definition.questions[place - 1]?.sectionId === sectionId ? [] : [sectionId]));
        const filled = (definition.sections ?? []).map(({ id }) => id).filter((id) => runs.includes(id));
        if (one.kind === 'reorder') {
          if (new Set(runs).size < runs.length) definition = before; // refused by the check that follows a reordering
          continue;
        }
        expect(runs).toEqual(filled);
      }
    }),
    { numRuns: 300 },
  );
});
