import { hash } from 'node:crypto';
import type { Pool } from 'pg';
import type { Json } from '../events/canonical-json.ts';
import type { Event } from '../events/event.ts';
import { eventIdOf, flagsEventIdOf, isId, newId, type Id } from '../events/id.ts';
import { renderResponseAmended } from '../events/response-amended.ts';
import { renderRevisionEvent } from '../events/revision-event.ts';
import type { PublishedForm, PublishedForms } from '../forms/published-forms.ts';
import { reachOf } from '../accounts/reach.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { ExamineAnswers, ResponseChecks } from '../integrations/response-checks.ts';
import { UnavailableError, UserError } from '../user-error.ts';
import { amendedAnswers } from './amended-answers.ts';
import { placesIn } from './check-submission.ts';
import { compileForm } from './compile-form.ts';
import { contentHash } from './content-hash.ts';
import { isErasedClientId } from './erased-client-ids.ts';
import { readEnvelope } from './envelope.ts';
import { findEarlier, type SubmittedResponse } from './find-response.ts';
import { insertAmendment, type AmendmentRow } from './insert-amendment.ts';
import type { Inserted } from './insert-responses.ts';
import { judgeFindings } from './judge-findings.ts';
import { responseEventData } from './render.ts';
import { readCurrent } from './response-rows.ts';
import type { AnswerInput, RespondentInput } from './submission.ts';
import { erased, maxEventBytes, tooLarge } from './submit-response.ts';

export interface AmendDeps {
  pool: Pool;
  forms: Pick<PublishedForms, 'refresh'>;
  checks: ResponseChecks;
  /** Called with the event once the revision is committed; must not wait or throw. */
  onCommitted: (events: readonly Event[]) => void;
}

/** What is absent stays as it is. */
export interface AmendResponseInput {
  /** Any revision of the response. */
  responseId: string;
  expectedRevision: number;
  clientId?: string | null | undefined;
  answers?: readonly AnswerInput[] | null | undefined;
  /** Takes the place of all that is known of the respondent; null takes it away. */
  respondent?: RespondentInput | null | undefined;
  metadata?: Json | undefined;
}

/** A form that changes at every look is edited in a loop. */
const maxRounds = 20;

/**
 * Makes the next revision of a response that the viewer's organisation owns, whatever its form takes now: its own
 * people may mend what they have after it is closed. Resolves once it is committed, with its outbox row.
 *
 * Throws UserError: REVISION_CONFLICT where `expectedRevision` is not the current one, so that nobody writes over what
 * they have not seen, and every fault of the content at once. A client id seen before answers the first result.
 */
export async function amendResponse(
  deps: AmendDeps,
  { viewer, input }: { viewer: Viewer; input: AmendResponseInput },
): Promise<SubmittedResponse> {
  const { pool, forms, checks, onCommitted } = deps;
  for (let round = 1; round <= maxRounds; round += 1) {
    const current = isId('resp', input.responseId) ? await readCurrent(pool, { reach: reachOf(viewer), id: input.responseId }) : undefined;
    if (!current) throw new UserError('NOT_FOUND', 'Your organisation has no response with this id.', ['responseId']);
    if (current.erasedAt) throw erased(['responseId']);
    const repeated = await repeatedAmendment(pool, { input, current });
    if (repeated) return repeated;
    requireExpected(input, current);
    const form = await forms.refresh(current.formId);
    if (!form) continue; // deleted just now
    const response = nextRevision({ input, current, form, examine: await checks.of(form), viewer });
    const { row, body } = prepared({ input, current, form, response });
    const inserted = await insertAmendment(pool, row);
    if (!inserted) continue;
    onCommitted(eventsOf({ form, row, inserted, response, body }));
    return { ...response, position: inserted.position };
  }
  throw new UnavailableError('OVERLOADED', 'The form or the response changes faster than an amendment can be checked; try again.', 1_000);
}

/** The revision that the same amendment has made before, if it has a client id and has been here. */
async function repeatedAmendment(pool: Pool, { input, current }: { input: AmendResponseInput; current: SubmittedResponse }): Promise<SubmittedResponse | undefined> {
  const { faults } = readEnvelope({ clientId: input.clientId });
  if (faults.length > 0) throw new UserError(faults);
  const earlier = input.clientId ? await findEarlier(pool, { formId: current.formId, clientId: input.clientId }) : undefined;
  if (earlier?.erasedAt || (input.clientId && (await isErasedClientId(pool, { formId: current.formId, clientId: input.clientId })))) throw erased(['clientId']);
  if (!earlier || earlier.contentHash === amendmentHash(input, current)) return earlier;
  throw new UserError('IDEMPOTENCY_MISMATCH', 'A response or an amendment with other content has this clientId already. Send a new clientId.', ['clientId']);
}

/** Tells an amendment from another one, and from any submission, under the same client id. Null: deeper than what is stored. */
function amendmentHash(input: AmendResponseInput, { familyId }: SubmittedResponse): string | null {
  const content = contentHash({ ...input, familyId, answers: input.answers ?? [] });
  const given = [input.expectedRevision, input.respondent === undefined, input.metadata === undefined];
  return content && hash('sha256', `amendment\n${JSON.stringify(given)}\n${content}`, 'base64url');
}

function requireExpected({ expectedRevision }: AmendResponseInput, { revision }: SubmittedResponse): void {
  if (expectedRevision === revision) return;
  const message = `The response is at revision ${revision}, not ${expectedRevision}: read what has changed, and amend that.`;
  throw new UserError('REVISION_CONFLICT', message, ['expectedRevision']);
}

function nextRevision(facts: {
  input: AmendResponseInput;
  current: SubmittedResponse;
  form: PublishedForm;
  examine: ExamineAnswers;
  viewer: Pick<Viewer, 'userId'>;
}): SubmittedResponse {
  const { input, current, form, examine, viewer } = facts;
  const { envelope, faults } = readEnvelope({
    clientId: input.clientId,
    respondent: input.respondent === undefined ? current.respondent : input.respondent,
    collector: current.collector,
    metadata: input.metadata === undefined ? current.metadata : input.metadata,
  });
  const compiled = compileForm(form.definition);
  const changes = input.answers ?? [];
  const result = amendedAnswers(compiled, { stored: current.answers, changes });
  if ('faults' in result) throw new UserError([...faults, ...result.faults]);
  const judged = judgeFindings(examine(result.answers), placesIn(compiled, changes));
  if (faults.length + judged.faults.length > 0) throw new UserError([...faults, ...judged.faults]);
  return {
    id: newId('resp'),
    formId: form.id,
    formVersion: form.version,
    ...envelope,
    familyId: current.familyId,
    revision: current.revision + 1,
    position: 0, // drawn as it is written
    submittedAt: new Date(),
    amendedById: viewer.userId,
    erasedAt: null,
    erasedById: null,
    flags: judged.flags,
    answers: result.answers,
  };
}

function prepared(facts: { input: AmendResponseInput; current: SubmittedResponse; form: PublishedForm; response: SubmittedResponse }): {
  row: AmendmentRow;
  body: Uint8Array;
} {
  const { input, current, form, response } = facts;
  const { id, revision } = current;
  const body = renderResponseAmended({ ...responseEventData({ row: response, definition: form.definition }), previous: { id, revision } });
  if (body.byteLength > maxEventBytes) throw tooLarge(body.byteLength);
  const row: AmendmentRow = {
    ...response,
    eventId: eventIdOf(response.id),
    intakeVersion: form.intakeVersion,
    organizationId: form.organizationId,
    amendedById: response.amendedById as Id<'usr'>,
    contentHash: response.clientId === null ? null : amendmentHash(input, current),
    answers: JSON.stringify(response.answers),
    respondent: JSON.stringify(response.respondent),
    collector: JSON.stringify(response.collector),
    metadata: JSON.stringify(response.metadata),
    flags: response.flags && JSON.stringify(response.flags),
  };
  return { row, body };
}

/** What has happened, in its order. `body`: of the first of it. */
function eventsOf(facts: { form: PublishedForm; row: AmendmentRow; inserted: Inserted; response: SubmittedResponse; body: Uint8Array }): Event[] {
  const { form, row, inserted, response, body } = facts;
  const { position, integrationsVersion, flagsEvent } = inserted;
  const shared = { organizationId: form.organizationId, formId: form.id, responseId: row.id, integrationsVersion };
  const amended: Event = { ...shared, id: row.eventId, type: 'response.amended', position, body };
  if (!flagsEvent) return [amended];
  const data = responseEventData({ row: response, definition: form.definition });
  return [amended, { ...shared, ...flagsEvent, id: flagsEventIdOf(row.id), body: renderRevisionEvent(flagsEvent.type, data) }];
}
