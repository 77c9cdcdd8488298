import type { Pool } from 'pg';
import type { Event } from '../events/event.ts';
import { parseAnswerId, type Id } from '../events/id.ts';
import type { FormDefinition } from '../forms/form-definition.ts';
import type { PublishedForms } from '../forms/published-forms.ts';
import { requireNoRefusal, requirePermission, viewerAllowed } from '../accounts/permissions.ts';
import { reachOf } from '../accounts/reach.ts';
import type { Caller } from '../graphql/context.ts';
import type { KeysetRange } from '../graphql/connection.ts';
import type { Found, Stretch } from '../graphql/live-topic.ts';
import type { ResponseChecks } from '../integrations/response-checks.ts';
import type { Settled } from '../outbox/settled.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { UserError } from '../user-error.ts';
import { createAnswerFilter, type AnswerFilter } from './answer-filter.ts';
import { amendResponse, type AmendResponseInput } from './amend-response.ts';
import { answersOf, type AnswerOfResponse } from './answers.ts';
import { eraseResponse } from './erase-response.ts';
import type { SubmittedResponse } from './find-response.ts';
import { readChanges, readCreated, type ResponseEventItem } from './response-events.ts';
import { pageOfResponses, pageOfRevisions, readResponses, type ResponseFilter, type ResponsePage } from './response-rows.ts';
import type { ReviewState } from './review.entity.ts';
import { pageOfReviews, readReviews, readReviewStates, setReviewState, type ReviewRow, type SetReviewStateInput } from './reviews.ts';
import { whyTextUnstorable } from '../storable.ts';
import type { SubmitResponseInput } from './submission.ts';
import type { Submitter, SubmitResult } from './submit-response.ts';

export interface ResponsesDeps {
  pool: Pool;
  /** Restricted to the viewer's organisation. */
  reads: Pool;
  forms: Pick<PublishedForms, 'get' | 'version' | 'refresh'>;
  submitter: Submitter;
  checks: ResponseChecks;
  limits: Pick<CallerLimits, 'countResponses'>;
  settled: Settled;
  /** Called with the events of what has just been committed beside the submitter; must not wait or throw. */
  onCommitted: (events: readonly Event[]) => void;
}

/** As many as one call may submit. */
export const maxSubmissions = 1_000;

export type ResponsesService = ReturnType<typeof createResponsesService>;

/**
 * Responses and their answers. Anyone may submit, but for API keys that were made for other things; only the form's
 * organisation reads.
 */
export function createResponsesService(deps: ResponsesDeps) {
  const { reads, forms, submitter, limits, settled } = deps;

  const definitionOf = async ({ formId, formVersion }: SubmittedResponse): Promise<FormDefinition> => {
    const definition = await forms.version(formId, formVersion);
    if (!definition) throw new Error(`${formId} has no version ${formVersion}`);
    return definition;
  };

  const readMany = async (caller: Caller, ids: readonly Id<'resp'>[]): Promise<Map<Id<'resp'>, SubmittedResponse>> => {
    const viewer = viewerAllowed(caller, 'responses:read');
    return viewer ? readResponses(reads, { reach: reachOf(viewer), ids }) : new Map<Id<'resp'>, SubmittedResponse>();
  };

  /**
   * A page whose end goes on without a gap: where it reaches to what is only just coming in, it is read again as far as
   * the order of that is settled.
   */
  const settledPage = async (page: Omit<ResponsePage, 'upTo'>): Promise<SubmittedResponse[]> => {
    const known = settled.known();
    const rows = await pageOfResponses(reads, page);
    if (rows.every(({ position }) => position <= known)) return rows;
    return pageOfResponses(reads, { ...page, upTo: await settled.find() });
  };

  return {
    /** See `Submitter`: throws UserError with every fault, UnavailableError RATE_LIMITED before anything is written. */
    submit: async (caller: Pick<Caller, 'viewer' | 'address'>, input: SubmitResponseInput): Promise<SubmittedResponse> => {
      requireNoRefusal(caller, 'responses:write');
      await limits.countResponses(caller, [input.formId]);
      return submitter.submit(input);
    },

    /** One result for each, in their order. Throws UserError where there are none or more than 1,000. */
    submitMany: async (caller: Pick<Caller, 'viewer' | 'address'>, inputs: readonly SubmitResponseInput[]): Promise<SubmitResult[]> => {
      requireNoRefusal(caller, 'responses:write');
      if (inputs.length === 0) throw new UserError('INVALID_INPUT', 'Send at least one response.', ['responses']);
      if (inputs.length > maxSubmissions) {
        throw new UserError('TOO_MANY', `At most ${maxSubmissions} responses can be sent at once; ${inputs.length} were sent.`, ['responses']);
      }
      await limits.countResponses(caller, inputs.map(({ formId }) => formId));
      return submitter.submitMany(inputs);
    },

    /** Makes the next revision of a response. See `amendResponse`. */
    amend: (caller: Pick<Caller, 'viewer'>, input: AmendResponseInput): Promise<SubmittedResponse> =>
      amendResponse(deps, { viewer: requirePermission(caller, 'responses:amend'), input }),

    /** Removes all that a response says. See `eraseResponse`. */
    erase: (caller: Pick<Caller, 'viewer'>, responseId: string): Promise<SubmittedResponse> =>
      eraseResponse(deps, { viewer: requirePermission(caller, 'responses:erase'), responseId }),

    /** Writes down what a member found of a response. See `setReviewState`. */
    setReviewState: (caller: Pick<Caller, 'viewer'>, input: SetReviewStateInput): Promise<SubmittedResponse> =>
      setReviewState(deps.pool, { viewer: requirePermission(caller, 'responses:review'), input }),

    /** Where families of the viewer's organisation stand in the review. */
    reviewStates: (caller: Caller, familyIds: readonly Id<'resp'>[]): Promise<Map<Id<'resp'>, ReviewState>> =>
      readReviewStates(reads, { familyIds, organizationId: requirePermission(caller, 'responses:read').organizationId }),

    /** The reviews of these ids whose responses the viewer's organisation owns. */
    readReviews: async (caller: Caller, ids: readonly Id<'rvw'>[]): Promise<Map<Id<'rvw'>, ReviewRow>> => {
      const viewer = viewerAllowed(caller, 'responses:read');
      return viewer ? readReviews(reads, { organizationId: viewer.organizationId, ids }) : new Map<Id<'rvw'>, ReviewRow>();
    },

    /** A page of a family's reviews, oldest first. */
    listReviews: (caller: Caller, page: { familyId: Id<'resp'>; range: KeysetRange }): Promise<ReviewRow[]> =>
      pageOfReviews(reads, { ...page, organizationId: requirePermission(caller, 'responses:read').organizationId }),

    /** The responses of these ids that the viewer's organisation owns. */
    readMany,

    /** A page of a form's responses, oldest first, each in its current revision. */
    list: (caller: Caller, page: { formId: Id<'form'>; filter?: ResponseFilter | null | undefined; range: KeysetRange }): Promise<SubmittedResponse[]> => {
      refuseUnstorable(page.filter ?? {});
      return settledPage({ ...page, reach: reachOf(requirePermission(caller, 'responses:read')) });
    },

    /** The events of a form's responses in a stretch of the order: those that came in, or what became of them. */
    readEvents: (kind: 'created' | 'changed', formId: Id<'form'>, stretch: Stretch): Promise<Found<ResponseEventItem>> =>
      kind === 'created' ? readCreated(reads, formId, stretch) : readChanges(reads, formId, stretch),

    /** See `createAnswerFilter`. */
    filterOf: (formId: Id<'form'>, where: string): Promise<AnswerFilter> => createAnswerFilter(forms, { formId, where }),

    /** A page of the revisions of a family, the first one first; the range's keys are their numbers. */
    listRevisions: (caller: Caller, page: { familyId: Id<'resp'>; range: KeysetRange }): Promise<SubmittedResponse[]> =>
      pageOfRevisions(reads, { ...page, reach: reachOf(requirePermission(caller, 'responses:read')) }),

    /** A page of the answers to one question, in the order of their responses. */
    listAnswers: async (caller: Caller, page: { formId: Id<'form'>; questionId: Id<'q'>; range: KeysetRange }): Promise<AnswerOfResponse[]> => {
      const reach = reachOf(requirePermission(caller, 'responses:read'));
      const responses = await settledPage({ ...page, reach });
      const answers = await Promise.all(responses.map(async (response) => answersOf(response, await definitionOf(response))));
      return answers.flat().filter((answer) => answer.question.id === page.questionId);
    },

    /** What a response answers, in the form's order. */
    answers: async (response: SubmittedResponse): Promise<AnswerOfResponse[]> => answersOf(response, await definitionOf(response)),

    /** The answers of these ids whose responses the viewer's organisation owns. */
    readAnswers: async (caller: Caller, ids: readonly Id<'ans'>[]): Promise<Map<Id<'ans'>, AnswerOfResponse>> => {
      const responseIds = new Set(ids.flatMap((id) => parseAnswerId(id)?.responseId ?? []));
      const responses = await readMany(caller, [...responseIds]);
      const answers = await Promise.all([...responses.values()].map(async (response) => answersOf(response, await definitionOf(response))));
      const wanted = new Set(ids);
      return new Map(answers.flat().filter(({ id }) => wanted.has(id)).map((answer) => [answer.id, answer]));
    },
  };
}

/** A text that PostgreSQL cannot keep is in no row, and cannot even be asked for. */
function refuseUnstorable(filter: ResponseFilter): void {
  for (const name of ['clientId', 'collectorUserId', 'respondentMobile', 'flag'] as const) {
    const reason = whyTextUnstorable(filter[name] ?? '');
    if (reason !== undefined) throw new UserError('INVALID_INPUT', `${name} ${reason}.`, ['filter', name]);
  }
}
