import type { DriveFiles } from './drive-files.ts';
import { applyBatch } from './sheets/batch-update.ts';
import { render } from './sheets/read.ts';
import type { ExtendedValue, Sheet, Spreadsheet } from './sheets/spreadsheet.ts';

export type CellValue = string | number | boolean | null;

/** What a person does with a spreadsheet in the browser, and what they see. Costs no quota and meets no fault. */
export interface AsUser {
  /** The rows with anything in them and the empty ones above them, as typed values; null for empty cells. */
  rows(fileId: string, sheetTitle?: string): CellValue[][];
  /** What was put into a cell, with its kind; undefined for an empty one. Indexes from 0. */
  cell(fileId: string, at: { row: number; column: number; sheetTitle?: string }): ExtendedValue | undefined;
  /** Types into a cell: digits become a number, what begins with `=` a formula. */
  type(fileId: string, at: { row: number; column: number; text: string; sheetTitle?: string }): void;
  /** Sorts everything below the frozen rows. */
  sortBy(fileId: string, by: { column: number; descending?: boolean; sheetTitle?: string }): void;
  deleteRows(fileId: string, at: { row: number; count?: number; sheetTitle?: string }): void;
  insertRows(fileId: string, at: { row: number; count?: number; sheetTitle?: string }): void;
  deleteColumn(fileId: string, at: { column: number; sheetTitle?: string }): void;
  moveColumn(fileId: string, at: { from: number; to: number; sheetTitle?: string }): void;
  trash(fileId: string): void;
  /** Empties the bin: the file is gone. */
  deleteForever(fileId: string): void;
}

export function createAsUser(deps: { files: DriveFiles; spreadsheets: Map<string, Spreadsheet>; newId: () => number }): AsUser {
  const { files, spreadsheets, newId } = deps;
  const spreadsheetOf = (fileId: string): Spreadsheet => {
    const spreadsheet = spreadsheets.get(fileId);
    if (spreadsheet === undefined) throw new Error(`There is no spreadsheet ${fileId}.`);
    return spreadsheet;
  };
  const find = (fileId: string, title?: string): Sheet => {
    const sheet = spreadsheetOf(fileId).sheets.find((sheet) => title === undefined || sheet.title === title);
    if (sheet === undefined) throw new Error(`There is no sheet ${title}.`);
    return sheet;
  };
  const apply = (fileId: string, request: Record<string, unknown>): void => {
    const { spreadsheet } = applyBatch(spreadsheetOf(fileId), { requests: [request], project: 'the browser', newId });
    spreadsheets.set(fileId, spreadsheet);
  };
  const span = (dimension: 'ROWS' | 'COLUMNS', { fileId, start, count = 1, sheetTitle }: { fileId: string; start: number; count?: number | undefined; sheetTitle?: string | undefined }) => ({
    sheetId: find(fileId, sheetTitle).sheetId,
    dimension,
    startIndex: start,
    endIndex: start + count,
  });
  return {
    rows: (fileId, sheetTitle) =>
      find(fileId, sheetTitle).rows.map((row) => Array.from(row, (cell) => (cell?.userEnteredValue ? render(cell, 'UNFORMATTED_VALUE') : null))),
    cell: (fileId, { row, column, sheetTitle }) => find(fileId, sheetTitle).rows[row]?.[column]?.userEnteredValue,
    type(fileId, { row, column, text, sheetTitle }) {
      const start = { sheetId: find(fileId, sheetTitle).sheetId, rowIndex: row, columnIndex: column };
      apply(fileId, { updateCells: { start, rows: [{ values: [{ userEnteredValue: typed(text) }] }], fields: 'userEnteredValue' } });
    },
    sortBy(fileId, { column, descending = false, sheetTitle }) {
      const { sheetId, frozenRowCount } = find(fileId, sheetTitle);
      const sortSpecs = [{ dimensionIndex: column, sortOrder: descending ? 'DESCENDING' : 'ASCENDING' }];
      apply(fileId, { sortRange: { range: { sheetId, startRowIndex: frozenRowCount }, sortSpecs } });
    },
    deleteRows: (fileId, { row, ...at }) => apply(fileId, { deleteDimension: { range: span('ROWS', { fileId, start: row, ...at }) } }),
    insertRows: (fileId, { row, ...at }) => apply(fileId, { insertDimension: { range: span('ROWS', { fileId, start: row, ...at }) } }),
    deleteColumn: (fileId, { column, ...at }) => apply(fileId, { deleteDimension: { range: span('COLUMNS', { fileId, start: column, ...at }) } }),
    moveColumn: (fileId, { from, to, ...at }) => apply(fileId, { moveDimension: { source: span('COLUMNS', { fileId, start: from, ...at }), destinationIndex: to } }),
    trash(fileId) {
      const file = files.files.get(fileId);
      if (file) file.trashed = true;
    },
    deleteForever(fileId) {
      files.files.delete(fileId);
      spreadsheets.delete(fileId);
    },
  };
}

function typed(text: string): Record<string, unknown> {
  if (text.startsWith('=')) return { formulaValue: text };
  return /^-?\d+(\.\d+)?$/.test(text) ? { numberValue: Number(text) } : { stringValue: text };
}
