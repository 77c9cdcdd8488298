import { z } from 'zod';
import { InvalidRequest } from './invalid-request.ts';
import { sheetOf, type Sheet, type Spreadsheet } from './spreadsheet.ts';

const index = z.number().int();

export const gridRange = z.strictObject({
  sheetId: index.optional(),
  startRowIndex: index.optional(),
  endRowIndex: index.optional(),
  startColumnIndex: index.optional(),
  endColumnIndex: index.optional(),
});

export const dimension = z.enum(['ROWS', 'COLUMNS']);
export type Dimension = z.infer<typeof dimension>;

export const dimensionRange = z.strictObject({
  sheetId: index.optional(),
  dimension,
  startIndex: index.optional(),
  endIndex: index.optional(),
});

/** A rectangle inside a sheet; ends are exclusive. */
export interface Area {
  sheet: Sheet;
  startRow: number;
  endRow: number;
  startColumn: number;
  endColumn: number;
}

/** Missing indexes reach to the sheet's border, a missing sheet is the one with id 0. Throws where it exceeds the grid. */
export function areaOf(spreadsheet: Spreadsheet, range: z.infer<typeof gridRange>): Area {
  const sheet = sheetOf(spreadsheet, range.sheetId);
  const { startRowIndex: startRow = 0, endRowIndex: endRow = sheet.rowCount } = range;
  const { startColumnIndex: startColumn = 0, endColumnIndex: endColumn = sheet.columnCount } = range;
  const area = { sheet, startRow, endRow, startColumn, endColumn };
  if (startRow < 0 || startColumn < 0 || endRow < startRow || endColumn < startColumn) throw new InvalidRequest(`Invalid range: ${a1Of(area)}`);
  if (endRow > sheet.rowCount || endColumn > sheet.columnCount) throw new InvalidRequest(outside(area));
  return area;
}

const outside = (area: Area): string =>
  `Range (${a1Of(area)}) exceeds grid limits. Max rows: ${area.sheet.rowCount}, max columns: ${area.sheet.columnCount}`;

/** The name of a column: 0 is A, 26 is AA. */
export function columnName(columnIndex: number): string {
  const above = Math.floor(columnIndex / 26);
  return (above > 0 ? columnName(above - 1) : '') + String.fromCharCode(65 + (columnIndex % 26));
}

export function a1Of({ sheet, startRow, endRow, startColumn, endColumn }: Area): string {
  const name = /^[A-Za-z_]\w*$/.test(sheet.title) ? sheet.title : `'${sheet.title.replaceAll("'", "''")}'`;
  const from = `${columnName(startColumn)}${startRow + 1}`;
  const to = `${columnName(Math.max(endColumn - 1, 0))}${endRow}`;
  return `${name}!${from === to ? from : `${from}:${to}`}`;
}

/**
 * The area that A1 notation means: `Sheet1!A1:C5`, `'My sheet'!B:D`, `2:4`, `Sheet1`. What reaches beyond the grid is
 * cut off; what begins beyond it is an error. Without a sheet it is the first one.
 */
export function areaOfA1(spreadsheet: Spreadsheet, text: string): Area {
  const { sheet, cells } = splitA1(spreadsheet, text);
  const match = /^([A-Za-z]{1,3})?(\d+)?(?::([A-Za-z]{1,3})?(\d+)?)?$/.exec(cells);
  if (match === null) throw new InvalidRequest(`Unable to parse range: ${text}`);
  const [, fromColumn, fromRow, toColumn, toRow] = match;
  const isOne = !cells.includes(':');
  const endColumn = isOne ? fromColumn : toColumn;
  const endRow = isOne ? fromRow : toRow;
  const area = {
    sheet,
    startRow: fromRow === undefined ? 0 : Number(fromRow) - 1,
    endRow: endRow === undefined ? sheet.rowCount : Number(endRow),
    startColumn: fromColumn === undefined ? 0 : columnIndex(fromColumn),
    endColumn: endColumn === undefined ? sheet.columnCount : columnIndex(endColumn) + 1,
  };
  if (area.startRow < 0) throw new InvalidRequest(`Unable to parse range: ${text}`);
  if (area.startRow >= sheet.rowCount || area.startColumn >= sheet.columnCount) throw new InvalidRequest(outside(area));
  return { ...area, endRow: Math.min(area.endRow, sheet.rowCount), endColumn: Math.min(area.endColumn, sheet.columnCount) };
}

function splitA1(spreadsheet: Spreadsheet, text: string): { sheet: Sheet; cells: string } {
  const match = /^(?:'((?:[^']|'')+)'|([^!']+))(?:!(.+))?$/.exec(text);
  const title = match?.[1]?.replaceAll("''", "'") ?? match?.[2];
  const named = spreadsheet.sheets.find((sheet) => sheet.title === title);
  if (named !== undefined) return { sheet: named, cells: match?.[3] ?? ':' };
  const first = spreadsheet.sheets[0];
  if (match === null || match[1] !== undefined || match[3] !== undefined || first === undefined) throw new InvalidRequest(`Unable to parse range: ${text}`);
  return { sheet: first, cells: text };
}

const columnIndex = (name: string): number => Array.from(name.toUpperCase()).reduce((sum, letter) => sum * 26 + letter.charCodeAt(0) - 64, 0) - 1;
