import { describe, expect, test } from 'vitest';
import { differenceIn, type RowCheck } from '../../integrations/google-sheets/compare-row.ts';
import { spansOf, type CellValue } from '../../integrations/google-sheets/read-rows.ts';
import type { Cell } from '../../integrations/google-sheets/row-cells.ts';

describe('a row', () => {
  const cells = new Map<string, Cell>([
    ['response', { userEnteredValue: { stringValue: 'resp_1' } }],
    ['q_age', { userEnteredValue: { numberValue: 42 } }],
    ['q_note', { userEnteredValue: { stringValue: 'two\r\nlines' } }],
  ]);
  const places = new Map([['response', 0], ['q_age', 1], ['q_note', 3]]);
  const titles = new Map([['response', 'Response'], ['q_age', 'Age'], ['q_note', 'Note']]);
  const check = (found: readonly CellValue[] | undefined, more: Partial<RowCheck> = {}) => differenceIn({ expected: { cells, cut: [] }, found, rowIndex: 6, places, titles, ...more });

  test('is as it should be whatever its user has in other columns', () => {
    expect(check(['resp_1', 42, 'mine', 'two\nlines', 'too'])).toBeUndefined();
  });
  test.each([
    ['is not there', undefined, 'Row 7 is empty.'],
    ['has only what is the user’s', ['', '', 'mine'], 'Row 7 is empty.'],
    ['is another’s', ['resp_2', 42, '', 'two\nlines'], 'Row 7 holds something else.'],
    ['has a number that became a text', ['resp_1', '42', '', 'two\nlines'], 'Row 7 differs in "Age".'],
    ['lost cells', ['resp_1'], 'Row 7 differs in "Age", "Note".'],
  ])('that %s differs', (_, found, difference) => {
    expect(check(found)).toBe(difference);
  });
  test('differs where a column is missing that has something to hold', () => {
    expect(check(['resp_1', 42], { places: new Map([['response', 0], ['q_age', 1]]) })).toBe('Row 7 differs in "Note".');
    expect(check(['resp_1', 42, '', 'two\nlines'], { titles: new Map([...titles, ['q_new', 'New']]) })).toBeUndefined();
  });
  test('that differs in much says so in few words', () => {
    const many = new Map(Array.from({ length: 9 }, (_, index): [string, string] => [`q_${index}`, `Q${index}`]));
    const expected = { cells: new Map([...many.keys()].map((id): [string, Cell] => [id, { userEnteredValue: { numberValue: 1 } }])), cut: [] };
    expect(check(['x'], { expected, titles: many, places: new Map([['other', 0]]) })).toContain('"Q3" and 5 more.');
  });
});

test('rows that lie near each other are read together, and none below the end of the sheet', () => {
  expect(spansOf([5, 3, 40, 300, 301, 999, 1_200], { rowCount: 1_000 })).toEqual([{ start: 3, end: 41 }, { start: 300, end: 302 }, { start: 999, end: 1_000 }]);
  expect(spansOf([], { rowCount: 10 })).toEqual([]);
});
