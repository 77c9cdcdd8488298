import { z } from 'zod';
import { InvalidRequest } from './invalid-request.ts';
import { areaOf, gridRange, type Area } from './ranges.ts';
import { requestKind } from './request.ts';
import { cellAt, limits, setRow, sheetOf, type Cell, type ExtendedValue, type Row, type Sheet, type Spreadsheet } from './spreadsheet.ts';

const extendedValue = z.strictObject({
  stringValue: z.string().optional(),
  numberValue: z.number().optional(),
  boolValue: z.boolean().optional(),
  formulaValue: z.string().optional(),
});

const cellData = z.strictObject({
  userEnteredValue: extendedValue.optional(),
  userEnteredFormat: z.record(z.string(), z.unknown()).optional(),
  note: z.string().optional(),
});
type CellData = z.infer<typeof cellData>;

const rowData = z.strictObject({ values: z.array(cellData).optional() });

const updateCellsInput = z.strictObject({
  rows: z.array(rowData).optional(),
  fields: z.string().optional(),
  start: z.strictObject({ sheetId: z.number().int().optional(), rowIndex: z.number().int().optional(), columnIndex: z.number().int().optional() }).optional(),
  range: gridRange.optional(),
});
type UpdateCells = z.infer<typeof updateCellsInput>;

/**
 * Sets cells at coordinates. With `start` only the cells that are given change; with `range` also the others in it are
 * cleared of the fields of the mask. Source: Sheets API, UpdateCellsRequest.
 */
export const updateCells = requestKind(updateCellsInput, ({ spreadsheet }, input) => {
  const fields = fieldsOf(input.fields);
  const area = targetOf(spreadsheet, input);
  const rows = input.rows ?? [];
  rows.forEach((row, offset) => writeRow(area, { rowIndex: area.startRow + offset, cells: row.values ?? [], fields, isWhole: input.range !== undefined }));
  if (input.range === undefined) return undefined;
  for (let rowIndex = area.startRow + rows.length; rowIndex < Math.min(area.endRow, area.sheet.rows.length); rowIndex += 1) {
    writeRow(area, { rowIndex, cells: [], fields, isWhole: true });
  }
  return undefined;
});

function targetOf(spreadsheet: Spreadsheet, { start, range }: UpdateCells): Area {
  if (start !== undefined && range !== undefined) throw new InvalidRequest("Only one of 'start' and 'range' may be set.");
  if (range !== undefined) return areaOf(spreadsheet, range);
  if (start === undefined) throw new InvalidRequest("Either 'start' or 'range' must be set.");
  const sheet = sheetOf(spreadsheet, start.sheetId);
  const { rowIndex: startRow = 0, columnIndex: startColumn = 0 } = start;
  if (startRow < 0 || startColumn < 0) throw new InvalidRequest('The coordinate must not be negative.');
  return { sheet, startRow, endRow: sheet.rowCount, startColumn, endColumn: sheet.columnCount };
}

type Field = 'userEnteredValue' | 'userEnteredFormat' | 'note';

/** Parts of a format are taken for the whole of it. */
function fieldsOf(mask = ''): Field[] {
  if (mask === '') throw new InvalidRequest("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)");
  if (mask === '*') return ['userEnteredValue', 'userEnteredFormat', 'note'];
  return mask.split(',').map((name) => {
    const field = /^(userEnteredValue|userEnteredFormat|note)(\.|$)/.exec(name.trim())?.[1];
    if (field === undefined) throw new InvalidRequest(`Invalid field: ${name.trim()}`);
    return field as Field;
  });
}

function writeRow(area: Area, change: { rowIndex: number; cells: CellData[]; fields: Field[]; isWhole: boolean }): void {
  const { rowIndex, cells, fields, isWhole } = change;
  if (rowIndex >= area.endRow) throw new InvalidRequest(`Attempting to write row: ${rowIndex}, beyond the last requested row of: ${area.endRow - 1}`);
  const last = area.startColumn + cells.length - 1;
  if (last >= area.endColumn) throw new InvalidRequest(`Attempting to write column: ${area.endColumn}, beyond the last requested column of: ${area.endColumn - 1}`);
  const row = [...(area.sheet.rows[rowIndex] ?? [])];
  const width = isWhole ? area.endColumn - area.startColumn : cells.length;
  for (let offset = 0; offset < width; offset += 1) {
    const column = area.startColumn + offset;
    while (row.length < column) row.push(undefined);
    row[column] = changedCell(row[column], cells[offset] ?? {}, fields);
  }
  setRow(area.sheet, rowIndex, row);
}

function changedCell(before: Cell | undefined, data: CellData, fields: Field[]): Cell | undefined {
  const cell: Cell = { ...before };
  for (const field of fields) delete cell[field];
  if (fields.includes('userEnteredValue')) {
    const value = valueOf(data.userEnteredValue);
    if (value !== undefined) cell.userEnteredValue = value;
  }
  if (fields.includes('userEnteredFormat') && data.userEnteredFormat) cell.userEnteredFormat = data.userEnteredFormat;
  if (fields.includes('note') && data.note) cell.note = data.note;
  return Object.keys(cell).length > 0 ? cell : undefined;
}

/** An empty text is no value: what is read back afterwards is an empty cell. */
function valueOf(value: z.infer<typeof extendedValue> = {}): ExtendedValue | undefined {
  const [kind, ...more] = Object.entries(value).filter(([, given]) => given !== undefined);
  if (more.length > 0) throw new InvalidRequest('A cell has one value: only one of its kinds may be set.');
  const length = value.stringValue?.length ?? value.formulaValue?.length ?? 0;
  if (length > limits.characters) throw new InvalidRequest(`Your input contains more than the maximum of ${limits.characters} characters in a single cell.`);
  if (value.formulaValue !== undefined && !value.formulaValue.startsWith('=')) throw new InvalidRequest(`Invalid formula: ${value.formulaValue}`);
  return kind === undefined || kind[1] === '' ? undefined : (value as ExtendedValue);
}

/** Takes cells out and moves the ones after them up or left. */
export const deleteRange = requestKind(z.strictObject({ range: gridRange, shiftDimension: z.enum(['ROWS', 'COLUMNS']) }), ({ spreadsheet }, input) => {
  const area = areaOf(spreadsheet, input.range);
  const isUp = input.shiftDimension === 'ROWS';
  const lastRow = isUp ? area.sheet.rows.length : Math.min(area.endRow, area.sheet.rows.length);
  const rows = area.sheet.rows.slice();
  for (let rowIndex = area.startRow; rowIndex < lastRow; rowIndex += 1) {
    rows[rowIndex] = isUp ? shiftedUp(area, rowIndex) : (area.sheet.rows[rowIndex] ?? []).toSpliced(area.startColumn, area.endColumn - area.startColumn);
  }
  area.sheet.rows = rows;
  return undefined;
});

function shiftedUp({ sheet, startRow, endRow, startColumn, endColumn }: Area, rowIndex: number): Row {
  const from = rowIndex + endRow - startRow;
  const width = Math.max(sheet.rows[rowIndex]?.length ?? 0, sheet.rows[from]?.length ?? 0);
  return Array.from({ length: width }, (_, column) => cellAt(sheet, column >= startColumn && column < endColumn ? from : rowIndex, column));
}

const sortRangeInput = z.strictObject({
  range: gridRange,
  sortSpecs: z.array(z.strictObject({ dimensionIndex: z.number().int().optional(), sortOrder: z.enum(['ASCENDING', 'DESCENDING']).optional() })).min(1),
});

/** Sorts the cells of a range by row; metadata of rows stays where it is. Numbers come before texts, empty ones last. */
export const sortRange = requestKind(sortRangeInput, ({ spreadsheet }, input) => {
  const area = areaOf(spreadsheet, input.range);
  const taken = Array.from({ length: area.endRow - area.startRow }, (_, offset) => area.startRow + offset).filter((rowIndex) => rowIndex < area.sheet.rows.length);
  const sorted = taken.toSorted((left, right) => {
    for (const { dimensionIndex = 0, sortOrder } of input.sortSpecs) {
      const order = compare(keyAt(area.sheet, left, dimensionIndex), keyAt(area.sheet, right, dimensionIndex), sortOrder === 'DESCENDING');
      if (order !== 0) return order;
    }
    return left - right;
  });
  const rows = area.sheet.rows.slice();
  taken.forEach((rowIndex, place) => {
    rows[rowIndex] = mixed(area, { outside: rowIndex, inside: sorted[place] ?? rowIndex });
  });
  area.sheet.rows = rows;
  return undefined;
});

function mixed({ sheet, startColumn, endColumn }: Area, from: { outside: number; inside: number }): Row {
  const width = Math.max(sheet.rows[from.outside]?.length ?? 0, sheet.rows[from.inside]?.length ?? 0);
  return Array.from({ length: width }, (_, column) => cellAt(sheet, column >= startColumn && column < endColumn ? from.inside : from.outside, column));
}

type SortKey = { rank: number; value: number | string };

function keyAt(sheet: Sheet, rowIndex: number, columnIndex: number): SortKey {
  const value = cellAt(sheet, rowIndex, columnIndex)?.userEnteredValue;
  if (value === undefined) return { rank: 3, value: 0 };
  if ('numberValue' in value) return { rank: 0, value: value.numberValue };
  if ('boolValue' in value) return { rank: 2, value: Number(value.boolValue) };
  return { rank: 1, value: ('stringValue' in value ? value.stringValue : value.formulaValue).toLowerCase() };
}

function compare(left: SortKey, right: SortKey, isDescending: boolean): number {
  if (left.rank === 3 || right.rank === 3) return left.rank - right.rank;
  const order = left.rank - right.rank || (left.value < right.value ? -1 : left.value > right.value ? 1 : 0);
  return isDescending ? -order : order;
}
