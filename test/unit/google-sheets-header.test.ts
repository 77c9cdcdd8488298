import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { columnsOf, responseColumns, type Column } from '../../integrations/google-sheets/column.ts';
import { metadataIdOf, parseTag } from '../../integrations/google-sheets/column-tag.ts';
import { maxTags, placesOf, planHeader } from '../../integrations/google-sheets/plan-header.ts';
import { layOut, type LaidOutSheet } from '../support/sheet-layout.ts';

const question = (id: string, text = `Question ${id}`) => ({ id: `q_${id}`, text });
const columns = (...ids: string[]) => columnsOf(ids.map((id) => question(id)));
const place = responseColumns.length;

const columnRange = (startIndex: number) => ({ sheetId: 0, dimension: 'COLUMNS', startIndex, endIndex: startIndex + 1 });
const typeTitle = (sheet: LaidOutSheet, columnIndex: number, title: string) =>
  sheet.apply([{ updateCells: { start: { sheetId: 0, columnIndex }, rows: [{ values: [{ userEnteredValue: { stringValue: title } }] }], fields: 'userEnteredValue' } }]);

/** A row with, in each column, what says which column and row it is for. */
function mark(sheet: LaidOutSheet, wanted: readonly Column[], rowIndex: number): void {
  const cells = new Map(wanted.map(({ id }) => [id, { userEnteredValue: { stringValue: `${id}/${rowIndex}` } }]));
  sheet.write([{ rowIndex, row: { cells, cut: [] } }]);
}

describe('a header', () => {
  test('of a new sheet has just the columns that are wanted, and does not scroll', () => {
    const sheet = layOut(columns('a', 'b'));
    expect(sheet.titles()).toEqual(['Response', 'Submitted', 'Revision', 'Flags', 'Question a', 'Question b']);
    expect(sheet.spreadsheet().sheets[0]).toMatchObject({ title: 'Responses', frozenRowCount: 1, columnCount: 6, rowCount: 10 });
    expect(sheet.bringTo(columns('a', 'b'))).toEqual([]);
  });

  test('gets the columns of questions that were added, behind ours and in front of the user’s', () => {
    const sheet = layOut(columns('a'));
    sheet.apply([{ appendDimension: { sheetId: 0, dimension: 'COLUMNS', length: 1 } }]);
    typeTitle(sheet, place + 1, 'My notes');
    sheet.bringTo(columns('a', 'c', 'b'));
    expect(sheet.titles().slice(place)).toEqual(['Question a', 'Question c', 'Question b', 'My notes']);
  });

  test('takes the new title of a question, and leaves a title that the user wrote', () => {
    const sheet = layOut(columns('a', 'b'));
    typeTitle(sheet, place, 'My own title');
    sheet.bringTo(columnsOf([question('a'), question('b', 'Renamed')]));
    expect(sheet.titles().slice(place)).toEqual(['My own title', 'Renamed']);
    sheet.bringTo(columnsOf([question('a', 'Renamed too'), question('b', 'Renamed')]));
    expect(sheet.titles().slice(place)).toEqual(['Renamed too', 'Renamed']);
  });

  test('keeps the column of a question that was removed, marked once, and unmarks it when it comes back', () => {
    const sheet = layOut(columns('a', 'b'));
    mark(sheet, columns('a', 'b'), 1);
    sheet.bringTo(columns('b'));
    expect(sheet.bringTo(columns('b'))).toEqual([]);
    expect(sheet.rows().map((row) => row.slice(place))).toEqual([['Question a (removed)', 'Question b'], ['q_a/1', 'q_b/1']]);
    sheet.bringTo(columns('a', 'b'));
    expect(sheet.titles().slice(place)).toEqual(['Question a', 'Question b']);
  });

  test('loses the columns of removed questions where that is asked for, and no others', () => {
    const sheet = layOut(columns('a', 'b', 'c', 'd'));
    mark(sheet, columns('a', 'b', 'c', 'd'), 1);
    sheet.bringTo(columns('d', 'b', 'e'), 'delete');
    expect(sheet.rows().map((row) => row.slice(place))).toEqual([['Question b', 'Question d', 'Question e'], ['q_b/1', 'q_d/1', '']]);
  });

  test('does not move where the form’s order changes', () => {
    const sheet = layOut(columns('a', 'b'));
    expect(sheet.bringTo(columns('b', 'a'))).toEqual([]);
  });

  test('gets a column again that the user deleted', () => {
    const sheet = layOut(columns('a', 'b'));
    sheet.apply([{ deleteDimension: { range: columnRange(place) } }]);
    sheet.bringTo(columns('a', 'b'));
    expect(sheet.titles().slice(place)).toEqual(['Question b', 'Question a']);
  });

  test('is not changed twice by a batch that was sent twice', () => {
    const sheet = layOut(columns('a'));
    const requests = planHeader(sheet.header(), columns('a', 'b'), 'keep');
    sheet.apply(requests);
    expect(() => sheet.apply(requests)).toThrow('already exists');
    expect(sheet.titles().slice(place)).toEqual(['Question a', 'Question b']);
  });

  test('has no more tags than metadata has room for: what was removed long ago is left to the user', () => {
    const ids = Array.from({ length: 500 }, (_, index) => String(index).padStart(26, '0'));
    const sheet = layOut(columns(...ids));
    sheet.bringTo(columns(...ids.map((id) => `1${id.slice(1)}`)));
    expect(sheet.header().columns).toHaveLength(maxTags);
    expect(sheet.titles()).toHaveLength(1004);
    expect(sheet.titles().filter((title) => title.endsWith('(removed)'))).toHaveLength(500);
  });
});

test('whatever becomes of the form and of the sheet, no column gets what belongs to another', () => {
  const ids = ['a', 'b', 'c', 'd', 'e'];
  const step = fc.oneof(
    fc.record({ kind: fc.constant('form' as const), ids: fc.shuffledSubarray(ids), removal: fc.constantFrom('keep' as const, 'delete' as const), text: fc.constantFrom('Old', 'New') }),
    fc.record({ kind: fc.constant('move' as const), from: fc.nat(), to: fc.nat() }),
    fc.record({ kind: fc.constant('insert' as const), at: fc.nat() }),
    fc.record({ kind: fc.constant('delete' as const), at: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 12 }), (steps) => {
      const sheet = layOut(columns('a', 'b'));
      let own = 0;
      steps.forEach((step, index) => {
        const count = sheet.titles().length;
        if (step.kind === 'form') {
          const wanted = columnsOf(step.ids.map((id) => question(id, `${step.text} ${id}`)));
          sheet.bringTo(wanted, step.removal);
          mark(sheet, wanted, index + 1);
          expect(sheet.bringTo(wanted, step.removal)).toEqual([]);
          expect([...placesOf(sheet.header()).keys()]).toEqual(expect.arrayContaining(wanted.map(({ id }) => id)));
        } else if (step.kind === 'move') {
          const [from, to] = [step.from % count, step.to % (count + 1)];
          sheet.apply([{ moveDimension: { source: columnRange(from), destinationIndex: to } }]);
        } else if (step.kind === 'insert') {
          sheet.apply([{ insertDimension: { range: columnRange(step.at % count) } }]);
          typeTitle(sheet, step.at % count, 'own');
          own += 1;
        } else if (count > 1) {
          if (sheet.titles()[step.at % count] === 'own') own -= 1;
          sheet.apply([{ deleteDimension: { range: columnRange(step.at % count) } }]);
        }
      });
      const tags = new Map(sheet.header().columns.map(({ index, tag }) => [index, tag.id]));
      for (const row of sheet.rows().slice(1)) {
        row.forEach((value, index) => expect(value === '' || String(value).startsWith(`${tags.get(index)}/`)).toBe(true));
      }
      expect(sheet.titles().filter((title) => title === 'own')).toHaveLength(own);
    }),
    { numRuns: 200 },
  );
});

test('a column’s metadata has the same id on every try, and never that of others', () => {
  const id = metadataIdOf('q_a', new Set());
  expect(metadataIdOf('q_a', new Set())).toBe(id);
  expect(metadataIdOf('q_a', new Set([id]))).toBe(id + 1);
  expect(id).toBeGreaterThan(0);
});

test('columns whose ids have the same hash are told apart, together and one after the other', () => {
  const [left, right] = ['33962', '44476'];
  expect(metadataIdOf(`q_${left}`, new Set())).toBe(metadataIdOf(`q_${right}`, new Set()));
  expect(layOut(columns(left, right)).titles().slice(place)).toEqual([`Question ${left}`, `Question ${right}`]);
  const sheet = layOut(columns(left));
  sheet.bringTo(columns(left, right));
  expect(sheet.titles().slice(place)).toEqual([`Question ${left}`, `Question ${right}`]);
});

test.each(['', 'q_a', 'q_a:', ':1234567', 'q_a:12345', 'q_a:1234567 '])('a tag is not read out of "%s"', (value) => {
  expect(parseTag(value)).toBeUndefined();
});
