import { readFileSync } from 'node:fs';
import type { Json } from '../../events/canonical-json.ts';

const file = (name: string): string => readFileSync(new URL(name, import.meta.url), 'utf8');

interface Survey {
  title: string;
  description: string;
  email: string;
  metadata: Json;
  rules: { key: string; expression: string; message: string }[];
  receipt: string;
  questions: { key: string; text: string; kind: string; required: boolean; min?: number; max?: number; choices?: string[] }[];
}

interface SurveyResponse {
  clientId: string;
  collector: Record<string, string>;
  respondent: Record<string, string>;
  answers: Record<string, Json>;
}

const survey = (): Survey => JSON.parse(file('household-form.json')) as Survey;

/** What must hold of its responses, as settings of an integration. */
export const householdRules = (): Record<string, unknown> => ({ rules: { rules: survey().rules.map(({ key, ...rule }) => ({ name: key, ...rule })) } });

/** What its respondents are thanked with, in Liquid. */
export const householdReceipt = (): string => survey().receipt;

/** The household survey, as `CreateFormInput`. */
export function householdForm(): Record<string, unknown> {
  const { title, description, email, metadata, questions } = survey();
  return {
    title,
    description,
    email,
    metadata,
    questions: questions.map(({ choices, ...question }) => ({ ...question, ...(choices && { choices: choices.map((text) => ({ text })) }) })),
  };
}

/** Its 500 responses, as `SubmitResponseInput`. */
export function householdResponses(formId: string): Record<string, unknown>[] {
  return file('household-responses.jsonl')
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const { clientId, collector, respondent, answers } = JSON.parse(line) as SurveyResponse;
      return { formId, clientId, collector, respondent, answers: Object.entries(answers).map(([key, value]) => ({ key, value })) };
    });
}
