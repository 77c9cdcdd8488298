import { expect, test } from 'vitest';
import { tableLines } from '../../src/bin/demo/table.ts';

test('columns are as wide as they need to be, numbers to the right, and what is longer is cut', () => {
  expect(tableLines([['Name', 'Age', 'Remarks'], ['Ada', 7, 'line one\nline two'], ['Zoë', 12, null], ['Bo', 3, 'one that is longer']], 8)).toEqual([
    'Name │ Age │ Remarks',
    'Ada  │   7 │ line on…',
    'Zoë  │  12 │',
    'Bo   │   3 │ one tha…',
  ]);
});

test('rows may differ in length, and there may be none', () => {
  expect(tableLines([['a'], ['b', true]], 8)).toEqual(['a │', 'b │ true']);
  expect(tableLines([], 8)).toEqual([]);
});
