import type { Form } from './form.entity.ts';
import type { InputFaults } from './input-faults.ts';

/** What says whether a form takes a response. Whenever any of it changes, so does the form's `intakeVersion`. */
export type Intake = Pick<Form, 'status' | 'opensAt' | 'closesAt' | 'closingSince' | 'maxResponses' | 'oneResponsePer'>;

/** Members that are absent stay as they are; null takes a limit away. */
export interface IntakeInput {
  status?: Form['status'] | null | undefined;
  opensAt?: Date | null | undefined;
  closesAt?: Date | null | undefined;
  maxResponses?: number | null | undefined;
  oneResponsePer?: Form['oneResponsePer'] | undefined;
}

/** A new form's intake before its input is looked at: open to all, for ever. */
export const openIntake: Intake = { status: 'open', opensAt: null, closesAt: null, closingSince: null, maxResponses: null, oneResponsePer: null };

/** The intake after a change. What is wrong goes into `faults`. `now`: since when the form is closing, if that begins here. */
export function changedIntake(intake: Intake, input: IntakeInput, { faults, now }: { faults: InputFaults; now: Date }): Intake {
  const status = input.status ?? intake.status;
  const opensAt = input.opensAt === undefined ? intake.opensAt : input.opensAt;
  const closesAt = input.closesAt === undefined ? intake.closesAt : input.closesAt;
  if (opensAt && closesAt && opensAt >= closesAt) faults.add(['closesAt'], 'A form closes after it opens: "closesAt" must be later than "opensAt".');
  const maxResponses = input.maxResponses === undefined ? intake.maxResponses : input.maxResponses;
  if (typeof maxResponses === 'number' && maxResponses < 1) faults.add(['maxResponses'], 'A form takes at least one response; to take none, close it.');
  const oneResponsePer = input.oneResponsePer === undefined ? intake.oneResponsePer : input.oneResponsePer;
  return { status, opensAt, closesAt, maxResponses, oneResponsePer, closingSince: status === 'closing' ? (intake.closingSince ?? now) : null };
}

export const isSameIntake = (a: Intake, b: Intake): boolean =>
  a.status === b.status &&
  a.maxResponses === b.maxResponses &&
  a.oneResponsePer === b.oneResponsePer &&
  a.opensAt?.getTime() === b.opensAt?.getTime() &&
  a.closesAt?.getTime() === b.closesAt?.getTime() &&
  a.closingSince?.getTime() === b.closingSince?.getTime();

/**
 * The moment before which a response must have been begun to be taken while the form is closing: when it stopped, be
 * it by its `closesAt` or by hand, whichever was first. Undefined while it is not closing.
 */
export function closingCutoff({ closesAt, closingSince }: Pick<Intake, 'closesAt' | 'closingSince'>): Date | undefined {
  if (!closingSince) return undefined;
  return closesAt && closesAt < closingSince ? closesAt : closingSince;
}
