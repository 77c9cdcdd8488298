import type { SubmitResponseInput } from '../../src/responses/submission.ts';
import { householdResponses } from './household.ts';

/** So many household responses, over and over the same five hundred; the client ids are the prefix and a number. */
export function householdInputs(options: { formId: string; count: number; prefix: string }): (SubmitResponseInput & { clientId: string })[] {
  const { formId, count, prefix } = options;
  const inputs = householdResponses(formId);
  return Array.from({ length: count }, (_, index) => {
    const input = inputs[index % inputs.length];
    if (!input) throw new Error('no household responses');
    return { ...input, clientId: `${prefix}${index}` };
  });
}
