import { test } from 'vitest';
import { sheetAndReceiptsSurvive } from '../support/outside-crash.ts';

test('killed in the middle of calls of Google and Twilio, it ends with a row for each response and no message twice', { timeout: 180_000 }, async () => {
  await sheetAndReceiptsSurvive({ responses: 80, deaths: 2, unknownOutcome: 'AT_MOST_ONCE', seed: 5 });
});
