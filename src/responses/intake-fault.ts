import type { PublishedForm } from '../forms/published-forms.ts';
import type { Fault } from '../user-error.ts';
import { utcTime } from '../calendar.ts';
import type { CollectorInput, SubmitResponseInput } from './submission.ts';

/**
 * Why a form takes no responses as it stands, or not this one; undefined where it does. No clock is read here: where
 * the form stands was said by the database when the form was read, and says it again in the statement that writes.
 */
export function intakeFault(form: PublishedForm, input: Pick<SubmitResponseInput, 'collector' | 'familyId'>): Fault | undefined {
  return standingFault(form, input) ?? (form.places === 'full' && !input.familyId ? full(form) : undefined);
}

function standingFault(form: PublishedForm, input: Pick<SubmitResponseInput, 'collector'>): Fault | undefined {
  switch (form.standing) {
    case 'open':
      return undefined;
    case 'draft':
      return fault('FORM_NOT_OPEN_YET', 'This form is a draft and takes no responses yet.');
    case 'early':
      return fault('FORM_NOT_OPEN_YET', 'This form takes no responses yet; its "opensAt" says from when on.');
    case 'over':
      return fault('FORM_CLOSED', 'This form takes no responses any more: its "closesAt" has passed.');
    case 'closed':
      return fault('FORM_CLOSED', 'This form takes no responses now.');
    case 'closing':
      return form.cutoff && begunBefore(form.cutoff, input.collector ?? {}) ? undefined : begunTooLate(form.cutoff);
  }
}

/**
 * Whether a response was begun before a moment, by the device's clock: by the earlier of the two times it carries, for
 * at both it was there already. One without a time that can be read may have been begun at any time: it was not.
 */
function begunBefore(cutoff: Date, { submittedAt, lastModifiedAt }: CollectorInput): boolean {
  const times = [submittedAt, lastModifiedAt].map((text) => utcTime(text ?? '')).filter((time) => time !== undefined);
  return times.some((time) => new Date(time) < cutoff);
}

function begunTooLate(cutoff: Date | undefined): Fault {
  const message =
    'This form is closing: it takes only responses that were begun on a device before it stopped'
    + `${cutoff ? ` (${cutoff.toISOString()})` : ''}, as collector.submittedAt or collector.lastModifiedAt says.`;
  return fault('FORM_CLOSED', message);
}

const full = ({ maxResponses }: PublishedForm): Fault => fault('FORM_FULL', `This form takes ${maxResponses} responses, and has them.`);

const fault = (code: Fault['code'], message: string): Fault => ({ code, message, path: ['formId'] });
