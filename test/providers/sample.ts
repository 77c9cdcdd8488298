import type { FormShape, QuestionShape } from '../../integrations/provider.ts';
import type { Event } from '../../src/events/event.ts';
import { newId } from '../../src/events/id.ts';
import { renderResponseCreated } from '../../src/events/response-created.ts';
import type { AnswerData } from '../../src/events/response-data.ts';
import type { Scope, Value } from '../../src/expressions/value-type.ts';
import { formShape } from '../support/call-context.ts';

const question = (key: string, kind: QuestionShape['kind'], choices: string[] = []): QuestionShape => ({
  id: newId('q'), key, kind, text: `What is the ${key}?`, choices: choices.map((text) => ({ text })),
});

/** The form that sample events are responses to. */
export const sampleForm: FormShape = formShape({
  title: 'Survey "🙂"',
  questions: [question('name', 'TEXT'), question('mobile', 'PHONE'), question('city', 'SINGLE_CHOICE', ['Pune', 'Delhi']), question('income', 'INTEGER'), question('spent', 'DECIMAL')],
});

/** What each of them answers, with a number of its own. */
const answersOf = (mobile: string): Record<string, Value> => ({ name: 'Zoë "🙂" =1+1', mobile, city: 'Pune', income: 52_000, spent: 1_999.5 });

/** Answers as checks get them. */
export const sampleAnswers: Scope = new Map(Object.entries(answersOf('+491701000000')));

let count = 0;

/** The number of an event's respondent, which no other event has. */
export const mobileOf = (event: Event): string => (JSON.parse(Buffer.from(event.body).toString()) as { data: { response: { respondent: { mobile: string } } } }).data.response.respondent.mobile;

/** An event as it comes to a provider; every call makes another one, of another respondent. */
export function sampleEvent(): Event {
  count += 1;
  const mobile = `+49170${1_000_000 + count}`;
  const responseId = newId('resp');
  const { id: formId, title, version } = sampleForm;
  const body = renderResponseCreated({
    form: { id: formId, title, version },
    response: {
      id: responseId, clientId: null, familyId: responseId, revision: 1, submittedAt: new Date('2026-11-21T06:30:00.123Z'),
      respondent: { mobile, name: 'Zoë' }, collector: {}, metadata: {}, flags: [], answers: answerData(answersOf(mobile)),
    },
  });
  return { id: newId('evt'), type: 'response.created', organizationId: newId('org'), formId, responseId, position: count, integrationsVersion: 1, body };
}

const answerData = (answers: Record<string, Value>): AnswerData[] =>
  sampleForm.questions.map(({ id, key, text, kind }) => {
    const value = answers[key] as string | number;
    return { questionId: id, key, question: text, kind, value, text: String(value), metadata: {} };
  });
