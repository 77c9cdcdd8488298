import type { Flag } from '../events/flag.ts';
import type { PublishedForm } from '../forms/published-forms.ts';
import type { ExamineAnswers } from '../integrations/response-checks.ts';
import type { Fault } from '../user-error.ts';
import type { CompiledForm } from './compile-form.ts';
import { readEnvelope, type Envelope } from './envelope.ts';
import { intakeFault } from './intake-fault.ts';
import { judgeFindings, type Judged } from './judge-findings.ts';
import { findQuestion } from './name-question.ts';
import { respondentKey } from './respondent-key.ts';
import type { StoredAnswers } from './response.entity.ts';
import type { AnswerInput, SubmitResponseInput } from './submission.ts';
import { validateAnswers } from './validate.ts';

/** What a submission says, found sound. */
export interface Checked {
  answers: StoredAnswers;
  envelope: Envelope;
  respondentKey: string | null;
  /** What rules have against it all the same; null: nothing. */
  flags: Flag[] | null;
}

/** A form with all that is made of it to check responses. */
export interface CheckedForm {
  form: PublishedForm;
  compiled: CompiledForm;
  examine: ExamineAnswers;
}

/** Checks a submission against a form's version. Answers what is to be stored, or every fault at once. Never throws. */
export function checkSubmission({ form, compiled, examine }: CheckedForm, input: SubmitResponseInput): Checked | { faults: readonly Fault[] } {
  const fault = intakeFault(form, input);
  if (fault) return { faults: [fault] };
  const { envelope, faults } = readEnvelope(input);
  const result = validateAnswers(compiled, input.answers);
  const judged = 'answers' in result ? judgeFindings(examine(result.answers), placesIn(compiled, input.answers)) : unjudged;
  const respondent = keyOfRespondent(form, input);
  if ('answers' in result && 'key' in respondent && faults.length + judged.faults.length === 0) {
    return { answers: result.answers, envelope, respondentKey: respondent.key, flags: judged.flags };
  }
  return { faults: [...faults, ...('fault' in respondent ? [respondent.fault] : []), ...('faults' in result ? result.faults : judged.faults)] };
}

/** Answers that are at fault themselves are no matter for rules. */
const unjudged: Judged = { flags: null, faults: [] };

/** Where in the input the question of a key is answered. */
export const placesIn = (compiled: CompiledForm, answers: readonly AnswerInput[]) => (key: string): number | undefined => {
  const asked = compiled.byKey.get(key);
  const place = asked ? answers.findIndex((answer) => findQuestion(compiled, answer) === asked) : -1;
  return place === -1 ? undefined : place;
};

/** Of the first revision only: a further one is the same respondent's, whatever it says of them. */
function keyOfRespondent({ oneResponsePer }: PublishedForm, { familyId, respondent }: SubmitResponseInput): { key: string | null } | { fault: Fault } {
  return oneResponsePer === null || familyId ? { key: null } : respondentKey(oneResponsePer, respondent ?? {});
}
