import type { FormShape, QuestionShape } from '../../integrations/provider.ts';
import type { Event, EventType } from '../../src/events/event.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { renderResponseAmended } from '../../src/events/response-amended.ts';
import { renderResponseCreated } from '../../src/events/response-created.ts';
import type { AnswerData, ResponseData } from '../../src/events/response-data.ts';
import { renderResponseDeleted } from '../../src/events/response-deleted.ts';

export type Answers = Record<string, string | number | boolean>;

/** A response as a test makes it: amended and erased by the events that are made of it. */
export interface Family {
  id: Id<'resp'>;
  revision: number;
  answers: Answers;
  isErased: boolean;
}

export const newFamily = (answers: Answers): Family => ({ id: newId('resp'), revision: 1, answers, isErased: false });

export const question = (key: string, text = `Question ${key}`): QuestionShape => ({ id: `q_${key}`, key, kind: 'TEXT', text, choices: [] });

export const submittedAt = new Date('2026-05-04T10:00:00Z');

/** The event that says what a family is now, answered to this version of the form. */
export function eventOf(family: Family, form: FormShape): Event {
  const { id: familyId, revision, isErased } = family;
  const about = { id: form.id, title: form.title, version: form.version };
  const responseId = revision === 1 ? familyId : newId('resp');
  const response = { id: responseId, familyId, revision };
  const event = (type: EventType, body: Buffer): Event => ({ id: newId('evt'), type, organizationId: newId('org'), formId: form.id, responseId, position: 1, integrationsVersion: 1, body });
  if (isErased) return event('response.deleted', renderResponseDeleted({ form: about, response, deletedAt: submittedAt }));
  const data: ResponseData = { form: about, response: { ...response, clientId: null, submittedAt, respondent: {}, collector: {}, metadata: {}, flags: [], answers: answersOf(family, form) } };
  if (revision === 1) return event('response.created', renderResponseCreated(data));
  return event('response.amended', renderResponseAmended({ ...data, previous: { id: newId('resp'), revision: revision - 1 } }));
}

function answersOf({ answers }: Family, { questions }: FormShape): AnswerData[] {
  return questions.flatMap(({ id, key, text, kind }) => {
    const value = answers[key];
    return value === undefined ? [] : [{ questionId: id, key, question: text, kind, value, text: String(value), metadata: {} }];
  });
}

/** The cells of a family's row, in the form's order. */
export function rowOfFamily({ id, revision, answers, isErased }: Family, keys: readonly string[]): (string | number | boolean | null)[] {
  if (isErased) return ['(erased)', null, null, null, ...keys.map(() => null)];
  return [id, submittedAt.toISOString(), revision, null, ...keys.map((key) => answers[key] ?? null)];
}
