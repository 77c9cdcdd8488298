import { InvalidRequest } from './invalid-request.ts';

/** What a user or a program has put into a cell; `formulaValue` is never worked out. */
export type ExtendedValue = { stringValue: string } | { numberValue: number } | { boolValue: boolean } | { formulaValue: string };

export interface Cell {
  userEnteredValue?: ExtendedValue;
  userEnteredFormat?: Record<string, unknown>;
  note?: string;
}

/** Replaced when it changes, never written into: so that a copy of a sheet can share its rows. */
export type Row = readonly (Cell | undefined)[];

export interface Sheet {
  sheetId: number;
  title: string;
  rowCount: number;
  columnCount: number;
  frozenRowCount: number;
  frozenColumnCount: number;
  hidden: boolean;
  /** As far as there is something in them. */
  rows: Row[];
}

/** Replaced when it changes, like a row. */
export type MetadataPlace =
  | { locationType: 'SPREADSHEET' }
  | { locationType: 'SHEET'; sheetId: number }
  | { locationType: 'ROW' | 'COLUMN'; sheetId: number; index: number };

export interface DeveloperMetadata {
  metadataId: number;
  metadataKey: string;
  metadataValue?: string;
  visibility: 'DOCUMENT' | 'PROJECT';
  /** Whose it is; others see what is of the document only. */
  project: string;
  place: MetadataPlace;
}

export interface Spreadsheet {
  spreadsheetId: string;
  title: string;
  sheets: Sheet[];
  metadata: DeveloperMetadata[];
}

/** Source: "Files you can store in Google Drive", "Sheets API: Developer metadata". */
export const limits = { cells: 10_000_000, columns: 18_278, characters: 50_000, sheets: 200, metadataCharacters: 30_000 };

export function createSheet(details: Partial<Sheet> & { sheetId: number; title: string }): Sheet {
  return { rowCount: 1000, columnCount: 26, frozenRowCount: 0, frozenColumnCount: 0, hidden: false, rows: [], ...details };
}

export function createSpreadsheet(spreadsheetId: string, title: string): Spreadsheet {
  return { spreadsheetId, title, sheets: [createSheet({ sheetId: 0, title: 'Sheet1' })], metadata: [] };
}

/** A copy to try changes on; costs a pointer a row. */
export function copyOf(spreadsheet: Spreadsheet): Spreadsheet {
  return {
    ...spreadsheet,
    sheets: spreadsheet.sheets.map((sheet) => ({ ...sheet, rows: sheet.rows.slice() })),
    metadata: spreadsheet.metadata.map((item) => ({ ...item })),
  };
}

export function sheetOf(spreadsheet: Spreadsheet, sheetId = 0): Sheet {
  const sheet = spreadsheet.sheets.find((sheet) => sheet.sheetId === sheetId);
  if (sheet === undefined) throw new InvalidRequest(`No grid with id: ${sheetId}`);
  return sheet;
}

/** Empty cells count. Throws what Google says where there are too many. */
export function checkSize(spreadsheet: Spreadsheet): void {
  const cells = spreadsheet.sheets.reduce((sum, { rowCount, columnCount }) => sum + rowCount * columnCount, 0);
  if (cells > limits.cells) {
    throw new InvalidRequest(`This action would increase the number of cells in the workbook above the limit of ${limits.cells} cells.`);
  }
  const widest = Math.max(...spreadsheet.sheets.map(({ columnCount }) => columnCount));
  if (widest > limits.columns) {
    throw new InvalidRequest(`This action would increase the number of columns in the workbook above the limit of ${limits.columns} columns.`);
  }
  if (spreadsheet.sheets.length > limits.sheets) {
    throw new InvalidRequest(`This action would increase the number of sheets in the workbook above the limit of ${limits.sheets} sheets.`);
  }
}

export const cellAt = (sheet: Sheet, rowIndex: number, columnIndex: number): Cell | undefined => sheet.rows[rowIndex]?.[columnIndex];

/** Puts changed rows in, however far down. */
export function setRow(sheet: Sheet, rowIndex: number, row: Row): void {
  while (sheet.rows.length < rowIndex) sheet.rows.push([]);
  sheet.rows[rowIndex] = row;
}

/** Cuts off what a sheet that became smaller no longer holds. */
export function trimToSize(sheet: Sheet): void {
  sheet.rows = sheet.rows.slice(0, sheet.rowCount).map((row) => (row.length > sheet.columnCount ? row.slice(0, sheet.columnCount) : row));
}
