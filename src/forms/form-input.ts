import type { Json } from '../events/canonical-json.ts';
import { isEmailAddress } from '../email-address.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults } from './input-faults.ts';
import type { IntakeInput } from './intake.ts';
import type { QuestionInput } from './question-input.ts';

export interface CreateFormInput extends IntakeInput {
  title: string;
  description?: string | null | undefined;
  email?: string | null | undefined;
  metadata?: Json | undefined;
  questions: readonly QuestionInput[];
}

/** Members that are absent stay as they are; null clears what can be empty. */
export interface UpdateFormInput extends IntakeInput {
  id: string;
  title?: string | null | undefined;
  description?: string | null | undefined;
  email?: string | null | undefined;
  metadata?: Json | undefined;
}

/** What stands around a form's questions. */
export interface FormFrame {
  title: string;
  description: string | null;
  email: string | null;
  metadata: Json;
}

type FrameInput = Pick<CreateFormInput, 'title' | 'description' | 'email' | 'metadata'>;

/** Checks a form's own members. What is wrong goes into `faults`. */
export function readFrame(input: FrameInput, faults: InputFaults): FormFrame {
  const email = input.email ?? null;
  if (email !== null && (!isEmailAddress(email) || !email.isWellFormed())) faults.add(['email'], 'This is no e-mail address.');
  return {
    title: faults.text(['title'], input.title, formLimits.titleLength),
    description: faults.optionalText(['description'], input.description, formLimits.descriptionLength),
    email,
    metadata: faults.json(['metadata'], input.metadata),
  };
}

/** A form's members after a change, to be read like new ones. */
export function changedFrame(frame: FormFrame, change: UpdateFormInput): FrameInput {
  return {
    title: change.title ?? frame.title,
    description: change.description === undefined ? frame.description : change.description,
    email: change.email === undefined ? frame.email : change.email,
    metadata: change.metadata === undefined ? frame.metadata : change.metadata,
  };
}
