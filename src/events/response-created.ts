import { canonical, type Json } from './canonical-json.ts';
import type { Id } from './id.ts';

/** What an answer to one question is, as receivers see it: choices by their texts, every value also as text. */
export interface AnswerData {
  questionId: Id<'q'>;
  key: string;
  question: string;
  kind: string;
  value: Json;
  text: string;
  metadata: Json;
}

/** `data` of `response.created`: enough to act on without asking back. */
export interface ResponseCreatedData {
  form: { id: Id<'form'>; title: string; version: number };
  response: {
    id: Id<'resp'>;
    clientId: string | null;
    familyId: Id<'resp'>;
    revision: number;
    submittedAt: Date;
    respondent: Json;
    collector: Json;
    metadata: Json;
    flags: readonly Json[];
    answers: readonly AnswerData[];
  };
}

/**
 * The body of a `response.created`, as UTF-8 JSON. The same data gives the same bytes, whether it comes from the
 * submission or was read back from the database: fixed members in this order, free JSON with sorted keys.
 */
export function renderResponseCreated(data: ResponseCreatedData): Buffer {
  const { form, response } = data;
  return Buffer.from(
    JSON.stringify({
      type: 'response.created',
      timestamp: response.submittedAt,
      data: {
        form: { id: form.id, title: form.title, version: form.version },
        response: {
          id: response.id,
          clientId: response.clientId,
          familyId: response.familyId,
          revision: response.revision,
          submittedAt: response.submittedAt,
          respondent: canonical(response.respondent),
          collector: canonical(response.collector),
          metadata: canonical(response.metadata),
          flags: response.flags.map((flag) => canonical(flag)),
          answers: response.answers.map((answer) => ({
            questionId: answer.questionId,
            key: answer.key,
            question: answer.question,
            kind: answer.kind,
            value: canonical(answer.value),
            text: answer.text,
            metadata: canonical(answer.metadata),
          })),
        },
      },
    }),
  );
}
