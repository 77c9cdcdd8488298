import type { Json } from '../events/canonical-json.ts';

/** One answer as a client sends it. Exactly one of `questionId`, `key` and `question` names the question. */
export interface AnswerInput {
  questionId?: string | null | undefined;
  key?: string | null | undefined;
  /** The question's exact text. */
  question?: string | null | undefined;
  value?: Json | undefined;
  metadata?: Json | undefined;
}

export interface RespondentInput {
  mobile?: string | null | undefined;
  email?: string | null | undefined;
  name?: string | null | undefined;
  /** The collector's own name for the respondent. */
  key?: string | null | undefined;
}

export interface CollectorInput {
  userId?: string | null | undefined;
  username?: string | null | undefined;
  location?: string | null | undefined;
  /** RFC 3339. */
  submittedAt?: string | null | undefined;
  /** RFC 3339. */
  lastModifiedAt?: string | null | undefined;
}

/** What stands around the answers. */
export interface EnvelopeInput {
  clientId?: string | null | undefined;
  respondent?: RespondentInput | null | undefined;
  collector?: CollectorInput | null | undefined;
  metadata?: Json | undefined;
}

/** A submission as a client sends it: nothing of it is checked beyond its shape. */
export interface SubmitResponseInput extends EnvelopeInput {
  formId: string;
  familyId?: string | null | undefined;
  answers: readonly AnswerInput[];
}
