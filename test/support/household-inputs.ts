import type { SubmitResponseInput } from '../../src/responses/submission.ts';
import { householdResponses } from './household.ts';

/**
 * So many household responses, over and over the same five hundred; the client ids are the prefix and a number, from
 * `first` (0) on. `ownMobiles`: no two of them are of respondents with the same number.
 */
export function householdInputs(options: { formId: string; count: number; prefix: string; first?: number; ownMobiles?: boolean }): (SubmitResponseInput & { clientId: string })[] {
  const { formId, count, prefix, first = 0, ownMobiles = false } = options;
  const inputs = householdResponses(formId);
  return Array.from({ length: count }, (_, index) => {
    const input = inputs[(first + index) % inputs.length];
    if (!input) throw new Error('no household responses');
    const respondent = ownMobiles ? { ...input.respondent, mobile: mobileOf(first + index) } : input.respondent;
    return { ...input, ...(respondent && { respondent }), clientId: `${prefix}${first + index}` };
  });
}

const mobileOf = (number: number): string => `+91${9_810_000_000 + number}`;
