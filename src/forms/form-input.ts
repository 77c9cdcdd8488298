import type { Json } from '../events/canonical-json.ts';
import { isEmailAddress } from '../email-address.ts';
import type { FormTranslations } from './definition-edit.ts';
import type { FormDefinition } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults } from './input-faults.ts';
import type { IntakeInput } from './intake.ts';
import type { QuestionInput } from './question-input.ts';
import type { NewSectionInput } from './section-input.ts';
import { readTranslations, type TranslationInput } from './translations.ts';

interface FormTranslationsInput {
  titleTranslations?: readonly TranslationInput[] | null | undefined;
  descriptionTranslations?: readonly TranslationInput[] | null | undefined;
}

export interface CreateFormInput extends IntakeInput, FormTranslationsInput {
  title: string;
  description?: string | null | undefined;
  email?: string | null | undefined;
  metadata?: Json | undefined;
  /** Those in no section, which come before all sections. */
  questions: readonly QuestionInput[];
  sections?: readonly NewSectionInput[] | null | undefined;
}

/** Members that are absent stay as they are; null clears what can be empty. */
export interface UpdateFormInput extends IntakeInput, FormTranslationsInput {
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

/** Checks the translations of a form's own texts; those that are absent stay as `now` has them. */
export function readFormTranslations(input: FormTranslationsInput, { now, faults }: { now: FormTranslations; faults: InputFaults }): FormTranslations {
  const read = (name: keyof FormTranslations, maxLength: number): FormDefinition['titleTranslations'] =>
    input[name] === undefined ? now[name] : readTranslations(input[name], { path: [name], faults, maxLength });
  const titleTranslations = read('titleTranslations', formLimits.titleLength);
  const descriptionTranslations = read('descriptionTranslations', formLimits.descriptionLength);
  return { ...(titleTranslations?.length && { titleTranslations }), ...(descriptionTranslations?.length && { descriptionTranslations }) };
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
