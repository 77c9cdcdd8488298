import type { Pool } from 'pg';
import type { Event } from '../events/event.ts';
import { eventIdOf, flagsEventIdOf, isId, newId, type Id } from '../events/id.ts';
import { renderRevisionEvent, type RevisionEventType } from '../events/revision-event.ts';
import type { FormDefinition } from '../forms/form-definition.ts';
import type { PublishedForm, PublishedForms } from '../forms/published-forms.ts';
import type { ResponseChecks } from '../integrations/response-checks.ts';
import { UnavailableError, UserError, type Fault } from '../user-error.ts';
import { checkSubmission, type Checked } from './check-submission.ts';
import { createCoalescer } from './coalescer.ts';
import { compileForm, type CompiledForm } from './compile-form.ts';
import { contentHash } from './content-hash.ts';
import { isDatabaseTrouble, throughTrouble } from '../database-trouble.ts';
import { isErasedClientId } from './erased-client-ids.ts';
import { findEarlier, findFamily, hasResponded, type SubmittedResponse } from './find-response.ts';
import { insertResponses, type Inserted, type ResponseRow } from './insert-responses.ts';
import { responseEventData } from './render.ts';
import type { SubmitResponseInput } from './submission.ts';

export interface SubmitDeps {
  pool: Pool;
  /** Connections of its own for the write path: no reader can keep a submission waiting for one. */
  writePool: Pool;
  forms: PublishedForms;
  checks: ResponseChecks;
  /** Called with the events of responses that have just been committed; must not wait or throw. */
  onCommitted: (events: readonly Event[]) => void;
  /** A batch was written, and how long that took. */
  onWritten?: ((batch: { rows: number; durationMs: number }) => void) | undefined;
  /** Follows a response from here until it is committed. */
  traceCommit?: (<T>(run: () => Promise<T>) => Promise<T>) | undefined;
}

export interface Submitter {
  /**
   * Accepts a response: resolves once it is committed, with its outbox row. A client id seen before answers the first
   * result and emits nothing. Throws UserError with every fault at once, UnavailableError where the outcome is open.
   */
  submit(input: SubmitResponseInput): Promise<SubmittedResponse>;
  /** Accepts many, each on its own: one that is refused, or not confirmed, does not touch the others. */
  submitMany(inputs: readonly SubmitResponseInput[]): Promise<SubmitResult[]>;
  /** Responses that wait to be written. */
  queued(): number;
}

export type SubmitResult = { response: SubmittedResponse } | { faults: readonly Fault[] };

/** A form that changes under a submission is read again; more often than this, somebody edits it in a loop. */
const maxRounds = 20;
const writers = 2;
const throughTroubleMs = 10_000;
/** What a nats-server takes in one message by default is 1 MiB, headers included. */
export const maxEventBytes = 1_000_000;

export function createSubmitter(deps: SubmitDeps): Submitter {
  const { pool, writePool, forms, checks, onCommitted, traceCommit = (run) => run() } = deps;
  const compiled = new WeakMap<FormDefinition, CompiledForm>();

  const write = async (rows: readonly ResponseRow[]): Promise<(Inserted | undefined)[]> => {
    const began = performance.now();
    const inserted = await throughTrouble(() => insertResponses(writePool, rows), throughTroubleMs);
    deps.onWritten?.({ rows: rows.length, durationMs: performance.now() - began });
    return inserted;
  };
  const coalescer = createCoalescer<ResponseRow, Inserted | undefined>({
    write,
    tenantOf: (row) => row.organizationId,
    bytesOf: (row) => row.answers.length + row.metadata.length + (row.flags?.length ?? 0) + 500,
    isPoison: (error) => !(error instanceof UnavailableError) && !isDatabaseTrouble(error),
    writers,
    maxBatch: { rows: 250, bytes: 2 * 1024 * 1024 },
    maxQueued: { rows: 20_000, bytes: 64 * 1024 * 1024 },
  });

  const compile = ({ definition }: PublishedForm): CompiledForm => {
    const known = compiled.get(definition) ?? compileForm(definition);
    compiled.set(definition, known);
    return known;
  };

  const requireNotErased = async (formId: Id<'form'>, clientId: string | null): Promise<void> => {
    if (clientId !== null && (await isErasedClientId(pool, { formId, clientId }))) throw erased(['clientId']);
  };

  /** A repeat is answered before anything is checked: the form may have changed, or closed, since the first time. */
  const refuse = async (form: PublishedForm, input: SubmitResponseInput, faults: readonly Fault[]): Promise<SubmittedResponse> => {
    const isClientIdSound = input.clientId && faults.every((fault) => fault.path[0] !== 'clientId');
    const earlier = isClientIdSound ? await findEarlier(pool, { formId: input.formId, clientId: input.clientId ?? null }) : undefined;
    if (earlier) return asRepeat(input, earlier);
    if (isClientIdSound && form.hasErasedClientIds) await requireNotErased(form.id, input.clientId ?? null);
    throw new UserError(faults);
  };

  const refuseSecond = async ({ id: formId, oneResponsePer }: PublishedForm, { respondentKey: key }: ResponseRow): Promise<void> => {
    if (oneResponsePer === null || key === null || !(await hasResponded(pool, { formId, respondentKey: key }))) return;
    throw new UserError('ALREADY_SUBMITTED', 'This form takes one response of each respondent, and has one of this respondent.', ['respondent', oneResponsePer]);
  };

  const requireFamily = async (form: PublishedForm, familyId: string | null | undefined): Promise<void> => {
    if (!familyId) return;
    const found = isId('resp', familyId) ? await findFamily(pool, { familyId, formId: form.id }) : 'none';
    if (found === 'there') return;
    if (found === 'erased') throw erased(['familyId']);
    throw new UserError('NOT_FOUND', 'This form has no response family with this id.', ['familyId']);
  };

  const submit = async (input: SubmitResponseInput): Promise<SubmittedResponse> => {
    let form = await forms.get(input.formId);
    let isFresh = false;
    const renew = async (): Promise<void> => {
      form = await forms.refresh(input.formId);
      isFresh = true;
    };
    for (let round = 1; round <= maxRounds; round += 1) {
      if (!form) throw new UserError('NOT_FOUND', 'There is no such form.', ['formId']);
      if (form.places === 'uncounted') {
        await forms.countPlaces(form.id);
        await renew();
        continue;
      }
      const checked = checkSubmission({ form, compiled: compile(form), examine: await checks.of(form) }, input);
      if ('faults' in checked) {
        if (isFresh) return refuse(form, input, checked.faults);
        // what is remembered of the form may be behind: nothing is refused by a version that is not the present one
        await renew();
        continue;
      }
      await requireFamily(form, input.familyId);

      const { row, response } = prepare(form, input, checked);
      if (form.hasErasedClientIds) await requireNotErased(form.id, row.clientId);
      const body = render('response.created', { form, response });
      if (body.byteLength > maxEventBytes) throw tooLarge(body.byteLength);
      const inserted = await traceCommit(() => coalescer.add(row));
      if (inserted) {
        const accepted = { ...response, revision: inserted.revision, position: inserted.position };
        onCommitted(eventsOf({ form, row, inserted, accepted, body }));
        return accepted;
      }
      const earlier = await findEarlier(pool, { id: row.id, formId: form.id, clientId: row.clientId });
      if (earlier) return earlier.id === row.id ? earlier : asRepeat(input, earlier);
      await refuseSecond(form, row);
      await renew();
    }
    throw new UnavailableError('OVERLOADED', 'The form changes faster than responses can be checked; try again.', 1_000);
  };

  const submitOne = async (input: SubmitResponseInput): Promise<SubmitResult> => {
    try {
      return { response: await submit(input) };
    } catch (error) {
      if (error instanceof UserError) return { faults: error.faults };
      // its own result, for the others may be committed
      if (error instanceof UnavailableError) return { faults: [{ code: 'UNAVAILABLE', message: error.message, path: [] }] };
      throw error;
    }
  };

  return {
    submit,
    queued: coalescer.queued,
    submitMany: async (inputs) => {
      const results: Promise<SubmitResult>[] = [];
      const families = new Map<string, Promise<unknown>>();
      for (const input of inputs) {
        // revisions of one family follow each other: at once they would be in each other's way
        const before = input.familyId ? families.get(input.familyId) : undefined;
        const result = before ? before.then(() => submitOne(input)) : submitOne(input);
        if (input.familyId) families.set(input.familyId, result);
        results.push(result);
      }
      return Promise.all(results);
    },
  };
}

export const erased = (path: readonly string[]): UserError =>
  new UserError('RESPONSE_ERASED', 'The response that this names was erased, and does not come back.', path);

function asRepeat(input: SubmitResponseInput, earlier: SubmittedResponse & { contentHash: string | null }): SubmittedResponse {
  if (earlier.erasedAt) throw erased(['clientId']);
  if (earlier.contentHash === contentHash(input)) return earlier;
  // without its id, which would let whoever guesses client ids go on with somebody's response
  throw new UserError('IDEMPOTENCY_MISMATCH', 'A response with other content has this clientId already. Send a new clientId for a new response.', ['clientId']);
}

function prepare(
  form: PublishedForm,
  input: SubmitResponseInput,
  { answers, envelope, respondentKey: key, flags }: Checked,
): { row: ResponseRow; response: SubmittedResponse } {
  const id = newId('resp');
  const response: SubmittedResponse = {
    id,
    formId: form.id,
    formVersion: form.version,
    ...envelope,
    familyId: (input.familyId as Id<'resp'> | null | undefined) ?? id,
    revision: 1,
    position: 0, // drawn as it is written
    submittedAt: new Date(),
    amendedById: null,
    erasedAt: null,
    erasedById: null,
    flags,
    answers,
  };
  return {
    response,
    row: {
      ...response,
      eventId: eventIdOf(id),
      intakeVersion: form.intakeVersion,
      respondentKey: key,
      takesPlace: form.maxResponses !== null && response.familyId === id,
      organizationId: form.organizationId,
      contentHash: response.clientId === null ? null : contentHash(input),
      answers: JSON.stringify(response.answers),
      respondent: JSON.stringify(response.respondent),
      collector: JSON.stringify(response.collector),
      metadata: JSON.stringify(response.metadata),
      flags: flags && JSON.stringify(flags),
    },
  };
}

const render = (type: RevisionEventType, { form, response }: { form: PublishedForm; response: SubmittedResponse }): Uint8Array =>
  renderRevisionEvent(type, responseEventData({ row: response, definition: form.definition }));

export function tooLarge(bytes: number): UserError {
  const message = `The response is too large: with its questions' texts it makes an event of ${bytes} bytes, and ${maxEventBytes} is the most.`;
  return new UserError('TOO_MANY', message, ['answers']);
}

/** What has happened, in its order. `body` is what was made for a first revision. */
function eventsOf(facts: { form: PublishedForm; row: ResponseRow; inserted: Inserted; accepted: SubmittedResponse; body: Uint8Array }): Event[] {
  const { form, row, inserted, accepted, body } = facts;
  const { revision, position, integrationsVersion, flagsEvent } = inserted;
  const shared = { organizationId: row.organizationId, formId: row.formId, responseId: row.id, integrationsVersion };
  const rendered = (type: RevisionEventType): Uint8Array => render(type, { form, response: accepted });
  const created: Event = { ...shared, id: row.eventId, type: 'response.created', position, body: revision === 1 ? body : rendered('response.created') };
  if (!flagsEvent) return [created];
  return [created, { ...shared, ...flagsEvent, id: flagsEventIdOf(row.id), body: rendered(flagsEvent.type) }];
}
