import { canonical, type Json } from './canonical-json.ts';
import type { Flag } from './flag.ts';
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

/** One revision of a response with its form: enough to act on without asking back. */
export interface ResponseData {
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
    flags: readonly Flag[];
    answers: readonly AnswerData[];
  };
}

/**
 * `data` of an event that carries a revision, ready for JSON.stringify: fixed members in this order, free JSON with
 * sorted keys. The same data gives the same bytes, whether it comes from the submission or was read back from the database.
 */
export function orderedData({ form, response }: ResponseData) {
  return {
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
      flags: response.flags.map(({ rule, message, keys, integrationId }) => ({ rule, message, keys, integrationId })),
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
  };
}
