import { builder } from '../graphql/builder.ts';
import { mutation, payloadType, type PayloadShape } from '../graphql/mutation.ts';
import { UserErrorType } from '../graphql/user-error-type.ts';
import { UserError } from '../user-error.ts';
import { ResponseType } from './responses.graphql.ts';
import { maxSubmissions } from './responses.service.ts';
import type { SubmitResult } from './submit-response.ts';

export const AnswerInputType = builder.inputType('AnswerInput', {
  description: 'Exactly one of questionId, key and question names the question.',
  fields: (t) => ({
    questionId: t.id(),
    key: t.string(),
    question: t.string({ description: 'The question’s exact text.' }),
    value: t.field({
      type: 'JSON',
      description: 'A text, number or boolean as the question’s kind asks; a choice by its id or exact text, several as a list. null: no answer.',
    }),
    metadata: t.field({ type: 'JSON', description: 'At most 64 KiB and 32 levels; null characters cannot be stored.' }),
  }),
});

export const RespondentInputType = builder.inputType('RespondentInput', {
  fields: (t) => ({ mobile: t.string(), email: t.string(), name: t.string(), key: t.string({ description: 'The collector’s own name for the respondent.' }) }),
});

const CollectorInputType = builder.inputType('CollectorInput', {
  description: 'Who took the response down, where, and when by the device’s clock.',
  fields: (t) => ({
    userId: t.string(),
    username: t.string(),
    location: t.string(),
    // texts, not DateTime: one bad clock is a fault of its response, and must not refuse the whole call
    submittedAt: t.string({ description: 'RFC 3339; kept in UTC.' }),
    lastModifiedAt: t.string({ description: 'RFC 3339; kept in UTC.' }),
  }),
});

const SubmitResponseInputType = builder.inputType('SubmitResponseInput', {
  fields: (t) => ({
    formId: t.id({ required: true }),
    clientId: t.string({
      description: 'The client’s own id, unique in the form, 1 to 200 characters. Sent again, the first result is answered and nothing happens.',
    }),
    answers: t.field({ type: [AnswerInputType], required: true }),
    respondent: t.field({ type: RespondentInputType }),
    collector: t.field({ type: CollectorInputType }),
    familyId: t.id({ description: 'The id of an earlier response that this one resubmits.' }),
    metadata: t.field({ type: 'JSON' }),
  }),
});

const members = { response: ResponseType };
const SubmitResponsePayload = payloadType('SubmitResponsePayload', members);
const SubmitResponseResult = payloadType('SubmitResponseResult', members);
type Submitted = PayloadShape<typeof members>;

// By hand: `mutation` would make an input type of its own, and this one is shared.
builder.mutationField('submitResponse', (t) =>
  t.field({
    description: 'Accepts a response, from anyone. Once this is answered, the response is never lost.',
    type: SubmitResponsePayload,
    args: { input: t.arg({ type: SubmitResponseInputType, required: true }) },
    resolve: async (_root, { input }, context): Promise<Submitted> => {
      try {
        return { response: await context.services.responses.submit(context, input) };
      } catch (error) {
        if (error instanceof UserError) return { errors: error.faults };
        throw error;
      }
    },
  }),
);

const many: { results: [typeof SubmitResponseResult] } = { results: [SubmitResponseResult] };
const SubmitResponsesPayload = builder.objectRef<PayloadShape<typeof many>>('SubmitResponsesPayload').implement({
  fields: (t) => ({
    results: t.field({
      description: 'One for each response, in their order.',
      type: [SubmitResponseResult],
      resolve: (payload) => [...(payload.results ?? [])],
    }),
    errors: t.field({ type: [UserErrorType], resolve: (payload) => payload.errors ?? [] }),
  }),
});

mutation('submitResponses', {
  description: `Accepts up to ${maxSubmissions} responses, each on its own: one that is refused does not touch the others.`,
  input: (t) => ({ responses: t.field({ type: [SubmitResponseInputType], required: true }) }),
  payload: SubmitResponsesPayload,
  isLogged: false,
  run: async ({ responses }, context) => ({ results: (await context.services.responses.submitMany(context, responses)).map(resultOf) }),
});

const resultOf = (result: SubmitResult): Submitted => ('faults' in result ? { errors: result.faults } : result);
