import { isAskedFor, select, type FieldMask } from '../field-mask.ts';
import { metadataResource } from './metadata.ts';
import { a1Of, type Area } from './ranges.ts';
import { propertiesOf } from './sheet-requests.ts';
import { cellAt, type Cell, type DeveloperMetadata, type Sheet, type Spreadsheet } from './spreadsheet.ts';

export type RenderOption = 'FORMATTED_VALUE' | 'UNFORMATTED_VALUE' | 'FORMULA';

/** What spreadsheets.get answers. Grid data comes with `includeGridData`, or, where there is a mask, when it asks for it. */
export function readSpreadsheet(
  spreadsheet: Spreadsheet,
  asked: { areas: Area[] | undefined; mask: FieldMask; includeGridData: boolean; project: string },
): unknown {
  const { areas, mask, project } = asked;
  const withData = mask === true ? asked.includeGridData : isAskedFor(mask, 'sheets', 'data');
  const visible = spreadsheet.metadata.filter((item) => item.visibility === 'DOCUMENT' || item.project === project);
  const sheets = spreadsheet.sheets.filter((sheet) => areas === undefined || areas.some((area) => area.sheet === sheet));
  const ofDocument = visible.filter(({ place }) => place.locationType === 'SPREADSHEET').map(metadataResource);
  const resource = {
    spreadsheetId: spreadsheet.spreadsheetId,
    properties: { title: spreadsheet.title, locale: 'en_US', autoRecalc: 'ON_CHANGE', timeZone: 'Etc/GMT' },
    sheets: sheets.map((sheet) => {
      const ofSheet = visible.filter(({ place }) => place.locationType === 'SHEET' && place.sheetId === sheet.sheetId).map(metadataResource);
      const data = withData ? { data: gridData({ sheet, areas, mask, visible }) } : {};
      return { properties: propertiesOf(spreadsheet.sheets, sheet), ...data, ...(ofSheet.length > 0 && { developerMetadata: ofSheet }) };
    }),
    ...(ofDocument.length > 0 && { developerMetadata: ofDocument }),
    spreadsheetUrl: `https://docs.google.com/spreadsheets/d/${spreadsheet.spreadsheetId}/edit`,
  };
  return select(resource, mask);
}

function gridData({ sheet, areas, mask, visible }: { sheet: Sheet; areas: Area[] | undefined; mask: FieldMask; visible: DeveloperMetadata[] }): unknown[] {
  const whole: Area = { sheet, startRow: 0, endRow: sheet.rowCount, startColumn: 0, endColumn: sheet.columnCount };
  const mine = areas?.filter((area) => area.sheet === sheet) ?? [whole];
  return mine.map((area) => {
    const { startRow, startColumn, endRow, endColumn } = area;
    const metadataOf = (type: 'ROW' | 'COLUMN', [start, end]: [number, number]) =>
      Array.from({ length: end - start }, (_, offset) => {
        const here = visible.filter(({ place }) => place.locationType === type && place.sheetId === sheet.sheetId && place.index === start + offset);
        return { pixelSize: type === 'ROW' ? 21 : 100, ...(here.length > 0 && { developerMetadata: here.map(metadataResource) }) };
      });
    return {
      ...(startRow > 0 && { startRow }),
      ...(startColumn > 0 && { startColumn }),
      ...(isAskedFor(mask, 'sheets', 'data', 'rowData') && { rowData: rowsOf(area).map((cells) => (cells.length > 0 ? { values: cells.map(cellResource) } : {})) }),
      ...(isAskedFor(mask, 'sheets', 'data', 'rowMetadata') && { rowMetadata: metadataOf('ROW', [startRow, endRow]) }),
      ...(isAskedFor(mask, 'sheets', 'data', 'columnMetadata') && { columnMetadata: metadataOf('COLUMN', [startColumn, endColumn]) }),
    };
  });
}

function cellResource(cell: Cell | undefined): Record<string, unknown> {
  const value = cell?.userEnteredValue;
  if (value === undefined) return { ...cell };
  return { ...cell, effectiveValue: value, formattedValue: String(render(cell, 'FORMATTED_VALUE')) };
}

/** What spreadsheets.values.get answers: empty rows and cells at the end are left out, others are empty texts. */
export function readValues(area: Area, option: RenderOption): { range: string; majorDimension: 'ROWS'; values?: unknown[][] } {
  const rows = rowsOf(area).map((cells) => {
    const values = cells.map((cell) => render(cell, option));
    return values.slice(0, values.findLastIndex((value) => value !== '') + 1);
  });
  const values = rows.slice(0, rows.findLastIndex((row) => row.length > 0) + 1);
  return { range: a1Of(area), majorDimension: 'ROWS', ...(values.length > 0 && { values }) };
}

/** Down to the last row and across to the last cell that has anything. */
function rowsOf({ sheet, startRow, endRow, startColumn, endColumn }: Area): (Cell | undefined)[][] {
  const rows = Array.from({ length: Math.max(0, Math.min(endRow, sheet.rows.length) - startRow) }, (_, offset) => {
    const width = Math.max(0, Math.min(endColumn, sheet.rows[startRow + offset]?.length ?? 0) - startColumn);
    const cells = Array.from({ length: width }, (_unused, column) => cellAt(sheet, startRow + offset, startColumn + column));
    return cells.slice(0, cells.findLastIndex((cell) => cell !== undefined) + 1);
  });
  return rows.slice(0, rows.findLastIndex((cells) => cells.length > 0) + 1);
}

export function render(cell: Cell | undefined, option: RenderOption): string | number | boolean {
  const value = cell?.userEnteredValue;
  if (value === undefined) return '';
  if ('stringValue' in value) return value.stringValue;
  if ('formulaValue' in value) return value.formulaValue;
  const plain = 'numberValue' in value ? value.numberValue : value.boolValue;
  return option === 'FORMATTED_VALUE' ? String(plain).toUpperCase() : plain;
}
