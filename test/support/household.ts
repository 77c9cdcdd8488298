import { readFileSync } from 'node:fs';
import type { Json } from '../../src/events/canonical-json.ts';
import { newId } from '../../src/events/id.ts';
import type { FormDefinition, QuestionKind } from '../../src/forms/form-definition.ts';
import type { CollectorInput, RespondentInput, SubmitResponseInput } from '../../src/responses/submission.ts';

/** The household survey as its owner writes it. */
export interface HouseholdForm {
  title: string;
  description: string;
  email: string;
  metadata: Json;
  questions: {
    key: string;
    text: string;
    kind: QuestionKind;
    required: boolean;
    min?: number;
    max?: number;
    choices?: string[];
  }[];
}

interface HouseholdResponse {
  clientId: string;
  collector: CollectorInput;
  respondent: RespondentInput;
  answers: Record<string, Json>;
}

const file = (name: string): string => readFileSync(new URL(`../../src/bin/demo/${name}`, import.meta.url), 'utf8');

export const householdForm = (): HouseholdForm => JSON.parse(file('household-form.json')) as HouseholdForm;

/** The survey as a published version, with new ids. */
export function householdDefinition(): FormDefinition {
  const { title, questions } = householdForm();
  const createdAt = new Date().toISOString();
  return {
    title,
    questions: questions.map(({ key, text, kind, required, min, max, choices = [] }) => ({
      id: newId('q'),
      key,
      text,
      kind,
      required,
      min: min ?? null,
      max: max ?? null,
      choices: choices.map((choice) => ({ id: newId('ch'), text: choice, metadata: {} })),
      metadata: {},
      createdAt,
      updatedAt: createdAt,
    })),
  };
}

/** The survey's rules, as `RuleInput`, and which responses break them, by client id. */
export function householdRules(): { rules: { name: string; expression: string; message: string }[]; broken: Map<string, string[]> } {
  const { rules } = JSON.parse(file('household-form.json')) as { rules: { key: string; expression: string; message: string }[] };
  const lines = file('household-responses.jsonl').trim().split('\n').map((line) => JSON.parse(line) as { clientId: string; expectFlags: string[] });
  return {
    rules: rules.map(({ key, ...rule }) => ({ name: key, ...rule })),
    broken: new Map(lines.map(({ clientId, expectFlags }) => [clientId, expectFlags])),
  };
}

/** The 500 responses as clients send them, answers by key. */
export function householdResponses(formId: string): SubmitResponseInput[] {
  return file('household-responses.jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { clientId, collector, respondent, answers } = JSON.parse(line) as HouseholdResponse;
      return { formId, clientId, collector, respondent, answers: Object.entries(answers).map(([key, value]) => ({ key, value })) };
    });
}
