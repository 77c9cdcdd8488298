import type { SubmitResponseInput } from '../../src/responses/submission.ts';
import { householdResponses } from './household.ts';

/**
 * So many household responses, over and over the same five hundred; the client ids are the prefix and a number, from
 * `first` (0) on.
 */
export function householdInputs(options: { formId: string; count: number; prefix: string; first?: number }): (SubmitResponseInput & { clientId: string })[] {
  const { formId, count, prefix, first = 0 } = options;
  const inputs = householdResponses(formId);
  return Array.from({ length: count }, (_, index) => {
    const input = inputs[(first + index) % inputs.length];
    if (!input) throw new Error('no household responses');
    return { ...input, clientId: `${prefix}${first + index}` };
  });
}
