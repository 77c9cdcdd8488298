import { expect, test } from 'vitest';
import { columnsOf } from '../../integrations/google-sheets/column.ts';
import { planNewSheet } from '../../integrations/google-sheets/plan-header.ts';
import { writeRequests, type PlacedRow } from '../../integrations/google-sheets/write-rows.ts';
import { googleErrors, replyOf } from '../support/google/errors.ts';
import { setUpSheet } from '../support/google/sheet-of.ts';
import { createManualClock } from '../support/simulators/clock.ts';
import { createRandom, type Outcome } from '../support/simulators/faults.ts';

const outcomes: Outcome[] = [
  { kind: 'drop', applied: true },
  { kind: 'drop', applied: false },
  { kind: 'reply', reply: replyOf(googleErrors.backendError(), 'sheets') },
  { kind: 'reply', reply: replyOf(googleErrors.backendError(), 'sheets'), applied: true },
  { kind: 'truncated' },
];

test.each([1, 2, 3])('rows that are sent again after every failure stand once each at their places (seed %i)', async (seed) => {
  const clock = createManualClock();
  await using at = await setUpSheet({ clock });
  const columns = columnsOf([{ id: 'q_a', text: 'A' }]);
  await at.batch(...planNewSheet({ sheetId: 0, title: 'Responses', rowCount: 500 }, columns));
  const random = createRandom(seed);
  for (const outcome of outcomes) at.google.faults.add({ when: () => random() < 0.15, times: 20, outcome });

  const target = { sheetId: 0, rowCount: 500, places: new Map(columns.map(({ id }, index) => [id, index])) };
  for (let from = 1; from < 500; from += 10) {
    const rows: PlacedRow[] = Array.from({ length: Math.min(10, 500 - from) }, (_, offset) => ({ rowIndex: from + offset, row: { cells: cellsOf(from + offset), cut: [] } }));
    while ((await at.refusal(...writeRequests(target, rows))) !== undefined) clock.advance(2_000);
    clock.advance(1_000);
  }

  const expected = Array.from({ length: 499 }, (_, index) => [`resp_${index + 1}`, null, null, null, index + 1]);
  expect(at.google.asUser.rows(at.spreadsheetId).slice(1)).toEqual(expected);
  const writes = at.google.requests.filter(({ operation }) => operation === 'sheets.batchUpdate');
  expect(writes.filter(({ applied }) => applied).length).toBeGreaterThan(51);
});

const cellsOf = (row: number) => new Map<string, object>([['response', { userEnteredValue: { stringValue: `resp_${row}` } }], ['q_a', { userEnteredValue: { numberValue: row } }]]);
