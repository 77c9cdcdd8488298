import { describe, test } from 'vitest';
import { sheetAndReceiptsSurvive } from '../support/outside-crash.ts';

describe('killed ten times in the middle of calls of Google and Twilio', () => {
  test.each([
    { unknownOutcome: 'AT_MOST_ONCE', seed: 1 },
    { unknownOutcome: 'AT_LEAST_ONCE', seed: 2 },
    { unknownOutcome: 'AT_MOST_ONCE', seed: 3 },
  ] as const)('it ends with a row for each of 1,000 responses, and receipts $unknownOutcome (seed $seed)', { timeout: 600_000 }, async (options) => {
    await sheetAndReceiptsSurvive({ responses: 1_000, deaths: 10, ...options });
  });
});
