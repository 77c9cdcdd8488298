import { z } from 'zod';
import { InvalidRequest } from './invalid-request.ts';
import { requestKind, type Draft } from './request.ts';
import { checkSize, createSheet, sheetOf, trimToSize, type Sheet } from './spreadsheet.ts';

const integer = z.number().int();

const gridProperties = z.strictObject({
  rowCount: integer.optional(),
  columnCount: integer.optional(),
  frozenRowCount: integer.optional(),
  frozenColumnCount: integer.optional(),
});

const sheetProperties = z.strictObject({
  sheetId: integer.optional(),
  title: z.string().optional(),
  index: integer.optional(),
  hidden: z.boolean().optional(),
  sheetType: z.literal('GRID').optional(),
  gridProperties: gridProperties.optional(),
});
type SheetProperties = z.infer<typeof sheetProperties>;

export const addSheet = requestKind(z.strictObject({ properties: sheetProperties.optional() }), (draft, { properties = {} }) => {
  const { sheets } = draft.spreadsheet;
  const sheetId = properties.sheetId ?? draft.newId();
  if (sheetId < 0) throw new InvalidRequest('Invalid sheet id. Sheet ids must be greater than or equal to 0.');
  if (sheets.some((sheet) => sheet.sheetId === sheetId)) throw new InvalidRequest(`A sheet with the id ${sheetId} already exists. Please use another id.`);
  const sheet = createSheet({ sheetId, title: '' });
  sheets.splice(properties.index ?? sheets.length, 0, sheet);
  const { index: _, ...changes } = properties;
  change(draft, { sheet, properties: { ...changes, title: properties.title ?? `Sheet${sheets.length}` }, fields: '*' });
  return { properties: propertiesOf(draft.spreadsheet.sheets, sheet) };
});

export const updateSheetProperties = requestKind(z.strictObject({ properties: sheetProperties, fields: z.string().optional() }), (draft, { properties, fields = '' }) => {
  if (fields === '') throw new InvalidRequest("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)");
  change(draft, { sheet: sheetOf(draft.spreadsheet, properties.sheetId), properties, fields });
  return undefined;
});

export const deleteSheet = requestKind(z.strictObject({ sheetId: integer.optional() }), ({ spreadsheet }, input) => {
  const sheet = sheetOf(spreadsheet, input.sheetId);
  if (spreadsheet.sheets.length === 1) throw new InvalidRequest("You can't remove all the sheets in a document.");
  spreadsheet.sheets = spreadsheet.sheets.filter((other) => other !== sheet);
  spreadsheet.metadata = spreadsheet.metadata.filter(({ place }) => !('sheetId' in place) || place.sheetId !== sheet.sheetId);
  return undefined;
});

export const updateSpreadsheetProperties = requestKind(
  z.strictObject({ properties: z.strictObject({ title: z.string().optional() }), fields: z.string() }),
  ({ spreadsheet }, { properties, fields }) => {
    if (fields !== 'title' && fields !== '*') throw new InvalidRequest(`Invalid field: ${fields}`);
    spreadsheet.title = properties.title ?? '';
    return undefined;
  },
);

function change(draft: Draft, { sheet, properties, fields }: { sheet: Sheet; properties: SheetProperties; fields: string }): void {
  const names = fields.split(',').map((name) => name.trim());
  const isAsked = (...path: string[]) => names.some((name) => name === '*' || name === path.join('.') || name === path[0]);
  const { gridProperties: grid = {} } = properties;
  checkNames(names);
  if (isAsked('title')) rename(draft, { sheet, title: properties.title ?? '' });
  if (names.includes('hidden')) sheet.hidden = properties.hidden ?? false;
  for (const name of ['rowCount', 'columnCount', 'frozenRowCount', 'frozenColumnCount'] as const) {
    if (isAsked('gridProperties', name)) sheet[name] = grid[name] ?? (name.startsWith('frozen') ? 0 : sheet[name]);
  }
  if (names.includes('index')) move(draft, sheet, properties.index ?? 0);
  if (sheet.rowCount < 1 || sheet.columnCount < 1) throw new InvalidRequest("You can't delete all the rows on the sheet.");
  if (sheet.frozenRowCount >= sheet.rowCount) throw new InvalidRequest("You can't freeze all visible rows on the sheet.");
  if (sheet.frozenColumnCount >= sheet.columnCount) throw new InvalidRequest("You can't freeze all visible columns on the sheet.");
  trimToSize(sheet);
  checkSize(draft.spreadsheet);
}

const known = /^(\*|title|index|hidden|sheetId|gridProperties(\.(rowCount|columnCount|frozenRowCount|frozenColumnCount))?)$/;

function checkNames(names: string[]): void {
  const strange = names.find((name) => !known.test(name));
  if (strange !== undefined) throw new InvalidRequest(`Invalid field: ${strange}`);
}

function rename({ spreadsheet }: Draft, { sheet, title }: { sheet: Sheet; title: string }): void {
  if (title === '' || title.length > 100) throw new InvalidRequest('Sheet names must have between 1 and 100 characters.');
  const isTaken = spreadsheet.sheets.some((other) => other !== sheet && other.title.toLowerCase() === title.toLowerCase());
  if (isTaken) throw new InvalidRequest(`A sheet with the name "${title}" already exists. Please enter another name.`);
  sheet.title = title;
}

function move({ spreadsheet }: Draft, sheet: Sheet, index: number): void {
  const others = spreadsheet.sheets.filter((other) => other !== sheet);
  spreadsheet.sheets = others.toSpliced(index, 0, sheet);
}

/** As spreadsheets.get and the replies show it; what is zero is left out. */
export function propertiesOf(sheets: readonly Sheet[], sheet: Sheet): Record<string, unknown> {
  const { sheetId, title, rowCount, columnCount, frozenRowCount, frozenColumnCount, hidden } = sheet;
  const frozen = { ...(frozenRowCount > 0 && { frozenRowCount }), ...(frozenColumnCount > 0 && { frozenColumnCount }) };
  return { sheetId, title, index: sheets.indexOf(sheet), sheetType: 'GRID', ...(hidden && { hidden }), gridProperties: { rowCount, columnCount, ...frozen } };
}
