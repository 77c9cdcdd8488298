import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { batchLength } from '../../integrations/google-sheets/batch-size.ts';
import { columnsOf } from '../../integrations/google-sheets/column.ts';
import { cellBudget, positionOf, rowOf, shouldBeginPart, type Part } from '../../integrations/google-sheets/parts.ts';
import { erasedRow, rowBytes, rowCells } from '../../integrations/google-sheets/row-cells.ts';
import { writeRequests } from '../../integrations/google-sheets/write-rows.ts';
import type { Json } from '../../src/events/canonical-json.ts';
import type { Flag } from '../../src/events/flag.ts';
import type { AnswerData } from '../../src/events/response-data.ts';
import { layOut } from '../support/sheet-layout.ts';

const answer = (id: string, value: Json, text = JSON.stringify(value)): AnswerData => ({
  questionId: `q_${id}`,
  key: id,
  question: `Question ${id}`,
  kind: 'TEXT',
  value,
  text,
  metadata: {},
});

const response = (answers: readonly AnswerData[], flags: readonly Json[] = []) => ({
  response: {
    id: 'resp_2' as const,
    clientId: null,
    familyId: 'resp_1' as const,
    revision: 2,
    submittedAt: new Date('2026-05-04T10:00:00Z'),
    respondent: {},
    collector: {},
    metadata: {},
    flags: flags as readonly Flag[],
    answers,
  },
});

const cell = (value: string | number | boolean): unknown => {
  const kind = { string: 'stringValue', number: 'numberValue', boolean: 'boolValue' }[typeof value as 'string'];
  return { userEnteredValue: { [kind]: value } };
};

describe('the cells of a response', () => {
  test('keep numbers and booleans, and make text of the rest, also where it looks like a formula', () => {
    const { cells, cut } = rowCells(response([answer('n', 1.5), answer('b', false), answer('f', '=1+1', '=1+1'), answer('c', ['x', 'y'], 'x, y'), answer('e', '', '')]));
    expect(Object.fromEntries(cells)).toEqual({
      response: cell('resp_1'),
      submittedAt: cell('2026-05-04T10:00:00.000Z'),
      revision: cell(2),
      flags: {},
      q_n: cell(1.5),
      q_b: cell(false),
      q_f: cell('=1+1'),
      q_c: cell('x, y'),
      q_e: {},
    });
    expect(cut).toEqual([]);
  });

  test('cut a text that is too long, with a mark, and say so', () => {
    const { cells, cut } = rowCells(response([answer('long', '', '😀'.repeat(25_001)), answer('fits', '', 'a'.repeat(50_000))]));
    const text = cells.get('q_long')?.userEnteredValue?.stringValue ?? '';
    expect(cut).toEqual(['q_long']);
    expect(text.length).toBeLessThanOrEqual(50_000);
    expect([text.endsWith('😀… (cut)'), text.isWellFormed()]).toEqual([true, true]);
    expect(cells.get('q_fits')?.userEnteredValue?.stringValue).toHaveLength(50_000);
  });

  test('show what its flags say', () => {
    const { cells } = rowCells(response([], [{ rule: 'r', message: 'Too much' }, 'Odd', { rule: 's' }]));
    expect(cells.get('flags')).toEqual(cell('Too much\nOdd\n{"rule":"s"}'));
  });
});

describe('rows', () => {
  const row = (...answers: AnswerData[]) => rowCells(response(answers));
  const columns = columnsOf([{ id: 'q_a', text: 'A' }, { id: 'q_b', text: 'B' }]);

  test('are put at their places, with the same result when they are put there again', () => {
    const sheet = layOut(columns);
    const rows = [{ rowIndex: 3, row: row(answer('a', 3)) }, { rowIndex: 1, row: row(answer('a', 1), answer('b', 'x', 'x')) }];
    sheet.write(rows);
    const once = sheet.rows();
    sheet.write(rows);
    expect(sheet.rows()).toEqual(once);
    expect(once.map((cells) => cells.slice(4))).toEqual([['A', 'B'], [1, 'x'], ['', ''], [3, '']]);
  });

  test('follow their columns and leave those of the user alone', () => {
    const sheet = layOut(columns);
    sheet.apply([
      { insertDimension: { range: { sheetId: 0, dimension: 'COLUMNS', startIndex: 5, endIndex: 6 } } },
      { updateCells: { start: { sheetId: 0, rowIndex: 1, columnIndex: 5 }, rows: [{ values: [{ userEnteredValue: { stringValue: 'note' } }] }], fields: 'userEnteredValue' } },
      { moveDimension: { source: { sheetId: 0, dimension: 'COLUMNS', startIndex: 6, endIndex: 7 }, destinationIndex: 0 } },
    ]);
    sheet.write([{ rowIndex: 1, row: row(answer('a', 1), answer('b', 2)) }]);
    expect(sheet.rows()[1]).toEqual([2, 'resp_1', '2026-05-04T10:00:00.000Z', 2, '', 1, 'note']);
  });

  test('that are amended lose what is no longer answered, and erased ones all', () => {
    const sheet = layOut(columns);
    sheet.write([{ rowIndex: 1, row: row(answer('a', 1), answer('b', 2)) }]);
    sheet.write([{ rowIndex: 1, row: row(answer('b', 3)) }]);
    expect(sheet.rows()[1]?.slice(4)).toEqual(['', 3]);
    sheet.write([{ rowIndex: 1, row: erasedRow }]);
    expect(sheet.rows()[1]).toEqual(['(erased)', '', '', '', '', '']);
  });

  test('make the sheet longer where they need it', () => {
    const sheet = layOut(columns);
    sheet.write([{ rowIndex: 10, row: row(answer('a', 1)) }]);
    expect(sheet.spreadsheet().sheets[0]?.rowCount).toBe(1_010);
    sheet.write([{ rowIndex: 2_500, row: row(answer('a', 2)) }]);
    expect(sheet.spreadsheet().sheets[0]?.rowCount).toBe(3_010);
  });

  test('of one place in one batch count as the last of them', () => {
    const sheet = layOut(columns);
    sheet.write([{ rowIndex: 1, row: row(answer('a', 1)) }, { rowIndex: 1, row: row(answer('a', 2)) }]);
    expect(sheet.rows()[1]?.[4]).toBe(2);
  });

  test('that follow each other are one request', () => {
    const places = new Map([['response', 0], ['q_a', 1]]);
    const rows = [1, 2, 3, 7].map((rowIndex) => ({ rowIndex, row: row(answer('a', rowIndex)) }));
    const requests = writeRequests({ sheetId: 0, rowCount: 100, places }, rows);
    expect(requests.map(({ updateCells }) => [updateCells?.start?.rowIndex, updateCells?.rows?.length])).toEqual([[1, 3], [7, 1]]);
  });
});

describe('a batch', () => {
  test('holds a thousand rows or two megabytes, and one row at least', () => {
    expect(batchLength([])).toBe(0);
    expect(batchLength(Array.from({ length: 1_500 }, () => 100))).toBe(1_000);
    expect(batchLength([900_000, 900_000, 200_000])).toBe(2);
    expect(batchLength([5_000_000, 1])).toBe(1);
    expect(batchLength([1, 5_000_000])).toBe(1);
  });

  test('is no larger than its rows say', () => {
    const rows = Array.from({ length: 100 }, (_, index) => ({ rowIndex: index + 1, row: rowCells(response([answer('a', 'é'.repeat(1_000)), answer('b', index)])) }));
    const places = new Map(['response', 'submittedAt', 'revision', 'flags', 'q_a', 'q_b'].map((id, index) => [id, index]));
    const sent = Buffer.byteLength(JSON.stringify({ requests: writeRequests({ sheetId: 0, rowCount: 1_000, places }, rows) }));
    const counted = rows.reduce((sum, { row }) => sum + rowBytes(row), 0);
    expect(sent / counted).toBeLessThan(1.02);
  });
});

describe('a sheet that outgrows its spreadsheet', () => {
  test('goes on in the next one, and no position ever moves', () => {
    fc.assert(
      fc.property(fc.array(fc.record({ reserved: fc.integer({ min: 1, max: 20_000 }), columnCount: fc.integer({ min: 80, max: 504 }) }), { maxLength: 30 }), (times) => {
        const parts: Part[] = [{ spreadsheetId: 'part-0', firstPosition: 0 }];
        const seen = new Map<number, unknown>();
        let nextPosition = 0;
        for (const { reserved, columnCount } of times) {
          if (shouldBeginPart(parts, { nextPosition, columnCount })) parts.push({ spreadsheetId: `part-${parts.length}`, firstPosition: nextPosition });
          const place = rowOf(parts, nextPosition);
          expect(place && positionOf(place.part, place.rowIndex)).toBe(nextPosition);
          seen.set(nextPosition, place);
          nextPosition += reserved;
        }
        for (const [position, place] of seen) expect(rowOf(parts, position)).toEqual(place);
        expect(new Set(parts.map(({ firstPosition }) => firstPosition)).size).toBe(parts.length);
      }),
    );
  });

  test('does so where its next row would pass the budget', () => {
    const parts = [{ spreadsheetId: 'first', firstPosition: 0 }];
    const rows = cellBudget / 100;
    expect(shouldBeginPart(parts, { nextPosition: rows - 2, columnCount: 100 })).toBe(false);
    expect(shouldBeginPart(parts, { nextPosition: rows - 1, columnCount: 100 })).toBe(true);
    expect(shouldBeginPart([], { nextPosition: 0, columnCount: 1 })).toBe(true);
  });

  test('has its first response in the row below the header', () => {
    const parts = [{ spreadsheetId: 'first', firstPosition: 0 }, { spreadsheetId: 'second', firstPosition: 70 }];
    expect(rowOf(parts, 0)).toEqual({ part: parts[0], rowIndex: 1 });
    expect(rowOf(parts, 70)).toEqual({ part: parts[1], rowIndex: 1 });
    expect(positionOf(parts[1]!, 0)).toBeUndefined();
  });
});
