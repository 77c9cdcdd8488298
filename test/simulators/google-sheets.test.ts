import { describe, expect, test } from 'vitest';
import { connectServiceAccount } from '../support/google/clients.ts';
import { describeError, setUpSheet, writeRows } from '../support/google/sheet-of.ts';

const columns = (startIndex: number, endIndex = startIndex + 1) => ({ sheetId: 0, dimension: 'COLUMNS', startIndex, endIndex });
const rows = (startIndex: number, endIndex = startIndex + 1) => ({ sheetId: 0, dimension: 'ROWS', startIndex, endIndex });
const tag = (index: number, value: string) => ({
  createDeveloperMetadata: { developerMetadata: { metadataKey: 'question', metadataValue: value, visibility: 'PROJECT', location: { dimensionRange: columns(index) } } },
});

describe('cells', () => {
  test('keep the type they were given: a text that looks like a formula or a number stays a text', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['=1+1', '12', 12, true, null, 'end']]));
    expect(at.google.asUser.rows(at.spreadsheetId)).toEqual([['=1+1', '12', 12, true, null, 'end']]);
    expect(at.google.asUser.cell(at.spreadsheetId, { row: 0, column: 0 })).toEqual({ stringValue: '=1+1' });
    const { data } = await at.sheets.spreadsheets.values.get({ spreadsheetId: at.spreadsheetId, range: 'A1:Z1', valueRenderOption: 'UNFORMATTED_VALUE' });
    expect(data).toMatchObject({ range: 'Sheet1!A1:Z1', values: [['=1+1', '12', 12, true, '', 'end']] });
  });

  test('are written again at the same place with the same result', async () => {
    await using at = await setUpSheet();
    const write = writeRows([['a', 1], ['b', 2]], { row: 4 });
    await at.batch(write);
    const once = at.google.asUser.rows(at.spreadsheetId);
    await at.batch(write);
    expect(at.google.asUser.rows(at.spreadsheetId)).toEqual(once);
  });

  test('outside the mask stay, and in a range those not given are cleared', async () => {
    await using at = await setUpSheet();
    const bold = { textFormat: { bold: true } };
    await at.batch({ updateCells: { start: { sheetId: 0 }, rows: [{ values: [{ userEnteredValue: { stringValue: 'a' }, userEnteredFormat: bold }] }], fields: '*' } });
    await at.batch(writeRows([['b', 'c'], ['d', 'e']]));
    const range = { sheetId: 0, startRowIndex: 0, endRowIndex: 2, startColumnIndex: 0, endColumnIndex: 2 };
    await at.batch({ updateCells: { range, rows: [{ values: [{ userEnteredValue: { stringValue: 'x' } }] }], fields: 'userEnteredValue' } });
    expect(at.google.asUser.rows(at.spreadsheetId)).toEqual([['x', null], [null, null]]);
    const { data } = await at.sheets.spreadsheets.get({ spreadsheetId: at.spreadsheetId, ranges: ['A1'], includeGridData: true });
    expect(data.sheets?.[0]?.data?.[0]?.rowData?.[0]?.values?.[0]).toMatchObject({ formattedValue: 'x', userEnteredFormat: bold });
  });

  test('of later rows than the grid has, of too long texts and without a mask are refused', async () => {
    await using at = await setUpSheet();
    expect(await at.refusal(writeRows([['a'], ['b']], { row: 999 }))).toBe('400 INVALID_ARGUMENT badRequest: Invalid requests[0].updateCells: Attempting to write row: 1000, beyond the last requested row of: 999');
    expect(await at.refusal(writeRows([['a', 'b']], { column: 25 }))).toContain('Attempting to write column: 26, beyond the last requested column of: 25');
    expect(await at.refusal(writeRows([['a'.repeat(50_001)]]))).toContain('Your input contains more than the maximum of 50000 characters in a single cell.');
    expect(await at.refusal(writeRows([['a'.repeat(50_000)]]))).toBeUndefined();
    expect(await at.refusal({ updateCells: { start: { sheetId: 0 }, rows: [] } })).toContain("At least one field must be listed in 'fields'");
    expect(await at.refusal({ updateCells: { range: { sheetId: 0, endRowIndex: 1001 }, rows: [], fields: '*' } })).toContain('exceeds grid limits. Max rows: 1000, max columns: 26');
    expect(await at.refusal(writeRows([['a']], { sheetId: 77 }))).toContain('Invalid requests[0].updateCells: No grid with id: 77');
  });
});

describe('a batch', () => {
  test('is applied whole or not at all', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['before']]), tag(0, 'q1'));
    const changed = { dataFilters: [{ developerMetadataLookup: { metadataKey: 'question' } }], developerMetadata: { metadataValue: 'q9' }, fields: 'metadataValue' };
    const refused = at.refusal({ updateDeveloperMetadata: changed }, { moveDimension: { source: columns(0), destinationIndex: 2 } }, writeRows([['after']]), { deleteDimension: { range: columns(0) } }, { appendDimension: { sheetId: 0, dimension: 'ROWS', length: 5 } }, writeRows([['x']], { sheetId: 9 }));
    expect(await refused).toContain('Invalid requests[5].updateCells');
    expect(at.google.asUser.rows(at.spreadsheetId)).toEqual([['before']]);
    const { data } = await at.sheets.spreadsheets.get({ spreadsheetId: at.spreadsheetId, fields: 'sheets(properties(gridProperties),data(columnMetadata(developerMetadata(metadataValue))))' });
    expect(data.sheets?.[0]?.properties?.gridProperties).toMatchObject({ rowCount: 1000, columnCount: 26 });
    expect(data.sheets?.[0]?.data?.[0]?.columnMetadata?.[0]).toEqual({ developerMetadata: [{ metadataValue: 'q1' }] });
  });

  test('with a name that Google does not know is refused, and an empty one too', async () => {
    await using at = await setUpSheet();
    const strange = { updateCells: { start: { sheetId: 0, rowindex: 3 }, rows: [], fields: '*' } };
    expect(await at.refusal(strange as object)).toContain('Unknown name "rowindex" at \'requests[0].updateCells.start\': Cannot find field.');
    expect(await at.refusal()).toContain('Must specify at least one request.');
  });

  test('shows the spreadsheet as it is afterwards, in the same answer and without a read', async () => {
    await using at = await setUpSheet({ quotas: { readsPerUser: 0 } });
    await at.batch(writeRows([['a', 'b']]), tag(1, 'b'));
    const { data } = await at.sheets.spreadsheets.batchUpdate({
      spreadsheetId: at.spreadsheetId,
      fields: 'updatedSpreadsheet.sheets.data.columnMetadata.developerMetadata.metadataValue',
      requestBody: { requests: [{ moveDimension: { source: columns(1), destinationIndex: 0 } }], includeSpreadsheetInResponse: true, responseRanges: ['A1:B1'] },
    });
    expect(data).toEqual({ updatedSpreadsheet: { sheets: [{ data: [{ columnMetadata: [{ developerMetadata: [{ metadataValue: 'b' }] }, {}] }] }] } });
  });

  test('answers each request in its place', async () => {
    await using at = await setUpSheet();
    const replies = await at.batch(writeRows([['a']]), { addSheet: { properties: { sheetId: 5, title: 'More', gridProperties: { rowCount: 10, columnCount: 3, frozenRowCount: 1 } } } }, tag(1, 'q2'));
    expect(replies).toMatchObject([
      {},
      { addSheet: { properties: { sheetId: 5, title: 'More', index: 1, gridProperties: { rowCount: 10, columnCount: 3, frozenRowCount: 1 } } } },
      { createDeveloperMetadata: { developerMetadata: { metadataValue: 'q2', location: { locationType: 'COLUMN', dimensionRange: columns(1) } } } },
    ]);
  });
});

describe('a spreadsheet', () => {
  test('has ten million cells, the empty ones counted, over all of its sheets', async () => {
    await using at = await setUpSheet();
    const most = (10_000_000 - 26_000) / 10;
    await at.batch({ addSheet: { properties: { sheetId: 1, title: 'Large', gridProperties: { rowCount: most, columnCount: 10 } } } });
    expect(await at.refusal({ appendDimension: { sheetId: 1, dimension: 'ROWS', length: 1 } })).toContain(
      'Invalid requests[0].appendDimension: This action would increase the number of cells in the workbook above the limit of 10000000 cells.',
    );
    expect(await at.refusal({ addSheet: { properties: { title: 'Another' } } })).toContain('above the limit of 10000000 cells');
    await at.batch({ updateSheetProperties: { properties: { sheetId: 0, gridProperties: { rowCount: 999 } }, fields: 'gridProperties.rowCount' } });
    await at.batch({ appendDimension: { sheetId: 1, dimension: 'ROWS', length: 2 } });
  });

  test('has sheets with names of their own, one at least, and rows that are not frozen', async () => {
    await using at = await setUpSheet();
    expect(await at.refusal({ addSheet: { properties: { title: 'sheet1' } } })).toContain('A sheet with the name "sheet1" already exists. Please enter another name.');
    expect(await at.refusal({ deleteSheet: { sheetId: 0 } })).toContain("You can't remove all the sheets in a document.");
    const freeze = { properties: { sheetId: 0, gridProperties: { frozenRowCount: 1000 } }, fields: 'gridProperties.frozenRowCount' };
    expect(await at.refusal({ updateSheetProperties: freeze })).toContain("You can't freeze all visible rows on the sheet.");
  });

  test('is forbidden to strangers, unknown when it does not exist, and can be used in the bin', async () => {
    await using at = await setUpSheet();
    const stranger = connectServiceAccount(at.google, at.google.accounts.addServiceAccount());
    const errorOf = (call: Promise<unknown>) => call.then(() => 'none', describeError);
    expect(await errorOf(stranger.sheets.spreadsheets.get({ spreadsheetId: at.spreadsheetId }))).toBe('403 PERMISSION_DENIED forbidden: The caller does not have permission');
    expect(await errorOf(at.sheets.spreadsheets.get({ spreadsheetId: 'none' }))).toBe('404 NOT_FOUND notFound: Requested entity was not found.');
    at.google.asUser.trash(at.spreadsheetId);
    await at.batch(writeRows([['still']]));
    at.google.asUser.deleteForever(at.spreadsheetId);
    expect(await at.refusal(writeRows([['gone']]))).toContain('404 NOT_FOUND');
  });

  test('is not written by a reader', async () => {
    await using at = await setUpSheet();
    const reader = at.google.accounts.addServiceAccount();
    at.google.setRole(at.spreadsheetId, reader.email, 'reader');
    const { sheets } = connectServiceAccount(at.google, reader);
    await sheets.spreadsheets.get({ spreadsheetId: at.spreadsheetId });
    const write = sheets.spreadsheets.batchUpdate({ spreadsheetId: at.spreadsheetId, requestBody: { requests: [writeRows([['x']])] } });
    expect(await write.then(() => 'none', describeError)).toContain('403 PERMISSION_DENIED forbidden');
  });
});

describe('developer metadata', () => {
  const found = async (at: Awaited<ReturnType<typeof setUpSheet>>) => {
    const { data } = await at.sheets.spreadsheets.developerMetadata.search({
      spreadsheetId: at.spreadsheetId,
      requestBody: { dataFilters: [{ developerMetadataLookup: { metadataKey: 'question' } }] },
    });
    const all = (data.matchedDeveloperMetadata ?? []).map(({ developerMetadata }) => developerMetadata!);
    return Object.fromEntries(all.map(({ metadataValue, location }) => [metadataValue, location?.dimensionRange?.startIndex]));
  };

  test('moves with its column when columns are inserted, moved and deleted', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['a', 'b', 'c', 'd']]), tag(0, 'a'), tag(1, 'b'), tag(2, 'c'), tag(3, 'd'));
    await at.batch({ insertDimension: { range: columns(1, 3) } });
    expect(await found(at)).toEqual({ a: 0, b: 3, c: 4, d: 5 });
    await at.batch({ moveDimension: { source: columns(5), destinationIndex: 0 } });
    expect(await found(at)).toEqual({ d: 0, a: 1, b: 4, c: 5 });
    await at.batch({ moveDimension: { source: columns(0, 2), destinationIndex: 6 } });
    expect(await found(at)).toEqual({ b: 2, c: 3, d: 4, a: 5 });
    await at.batch({ deleteDimension: { range: columns(2, 4) } });
    expect(await found(at)).toEqual({ d: 2, a: 3 });
    expect(at.google.asUser.rows(at.spreadsheetId)).toEqual([[null, null, 'd', 'a']]);
  });

  test('finds the cells of its column', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['a', 'b'], [1, 2]]), tag(1, 'b'));
    const requestBody = { dataFilters: [{ developerMetadataLookup: { metadataValue: 'b' } }], valueRenderOption: 'UNFORMATTED_VALUE' };
    const { data } = await at.sheets.spreadsheets.values.batchGetByDataFilter({ spreadsheetId: at.spreadsheetId, requestBody });
    expect(data.valueRanges?.map(({ valueRange }) => valueRange?.values)).toEqual([[['b'], [2]]]);
  });

  test('of a project is changed and deleted by that project', async () => {
    await using at = await setUpSheet();
    await at.batch(tag(0, 'a'));
    const other = at.google.accounts.addServiceAccount({ project: 'another-project' });
    at.google.setRole(at.spreadsheetId, other.email, 'writer');
    const dataFilter = { developerMetadataLookup: { metadataKey: 'question' } };
    const { sheets } = connectServiceAccount(at.google, other);
    await sheets.spreadsheets.batchUpdate({ spreadsheetId: at.spreadsheetId, requestBody: { requests: [{ deleteDeveloperMetadata: { dataFilter } }] } });
    expect(await found(at)).toEqual({ a: 0 });
    await at.batch({ updateDeveloperMetadata: { dataFilters: [dataFilter], developerMetadata: { metadataValue: 'b' }, fields: 'metadataValue' } });
    expect(await found(at)).toEqual({ b: 0 });
    expect(await at.batch({ deleteDeveloperMetadata: { dataFilter } })).toMatchObject([{ deleteDeveloperMetadata: { deletedDeveloperMetadata: [{ metadataValue: 'b' }] } }]);
    expect(await found(at)).toEqual({});
  });

  test('has one row or column, a key, a visibility and 30,000 characters a sheet', async () => {
    await using at = await setUpSheet();
    const create = (developerMetadata: object) => at.refusal({ createDeveloperMetadata: { developerMetadata } });
    const location = { dimensionRange: columns(0) };
    expect(await create({ metadataKey: 'k', visibility: 'PROJECT', location: { dimensionRange: columns(0, 2) } })).toContain('single row or column');
    expect(await create({ visibility: 'PROJECT', location })).toContain('metadataKey must be specified');
    expect(await create({ metadataKey: 'k', location })).toContain('visibility must be specified');
    expect(await create({ metadataKey: 'k', metadataValue: 'v'.repeat(30_000), visibility: 'PROJECT', location })).toContain('30000 characters');
  });
});

describe('rows and columns', () => {
  test('that do not exist are not deleted, and not all of those that do', async () => {
    await using at = await setUpSheet();
    expect(await at.refusal({ deleteDimension: { range: columns(26) } })).toContain('there are only 26 columns');
    expect(await at.refusal({ deleteDimension: { range: rows(0, 1000) } })).toContain("You can't delete all the rows on the sheet.");
    await at.batch({ updateSheetProperties: { properties: { sheetId: 0, gridProperties: { frozenRowCount: 1 } }, fields: 'gridProperties.frozenRowCount' } });
    expect(await at.refusal({ deleteDimension: { range: rows(1, 1000) } })).toContain('Sorry, it is not possible to delete all non-frozen rows.');
  });

  test('are inserted at the end only as heirs of the last one', async () => {
    await using at = await setUpSheet();
    expect(await at.refusal({ insertDimension: { range: columns(26) } })).toContain('must be less than the grid size (26) if inheritFromBefore is false');
    expect(await at.refusal({ insertDimension: { range: columns(26), inheritFromBefore: true } })).toBeUndefined();
  });

  test('are sorted, deleted, inserted, moved and typed over by users', async () => {
    await using at = await setUpSheet();
    const { asUser } = at.google;
    const freeze = { updateSheetProperties: { properties: { sheetId: 0, gridProperties: { frozenRowCount: 1 } }, fields: 'gridProperties.frozenRowCount' } };
    await at.batch(writeRows([['n', 't'], [2, 'b'], [10, 'a'], [null, 'c'], ['x', 'd']]), freeze);
    asUser.sortBy(at.spreadsheetId, { column: 0, descending: true });
    expect(asUser.rows(at.spreadsheetId)).toEqual([['n', 't'], ['x', 'd'], [10, 'a'], [2, 'b'], [null, 'c']]);
    asUser.deleteRows(at.spreadsheetId, { row: 1, count: 2 });
    asUser.insertRows(at.spreadsheetId, { row: 1 });
    asUser.moveColumn(at.spreadsheetId, { from: 0, to: 2 });
    asUser.type(at.spreadsheetId, { row: 1, column: 0, text: '=A1' });
    expect(asUser.rows(at.spreadsheetId)).toEqual([['t', 'n'], ['=A1'], ['b', 2], ['c', null]]);
    expect(asUser.cell(at.spreadsheetId, { row: 1, column: 0 })).toEqual({ formulaValue: '=A1' });
  });

  test('close up when a range is deleted', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['a', 1, 'x'], ['b', 2, 'y'], ['c', 3, 'z']]));
    const range = { sheetId: 0, startRowIndex: 0, endRowIndex: 1, startColumnIndex: 0, endColumnIndex: 2 };
    await at.batch({ deleteRange: { range, shiftDimension: 'ROWS' } });
    expect(at.google.asUser.rows(at.spreadsheetId)).toEqual([['b', 2, 'x'], ['c', 3, 'y'], [null, null, 'z']]);
    await at.batch({ deleteRange: { range, shiftDimension: 'COLUMNS' } });
    expect(at.google.asUser.rows(at.spreadsheetId)[0]).toEqual(['x']);
  });
});

describe('reading', () => {
  test('leaves out empty rows and cells at the end, cuts at the grid, and refuses to begin beyond it', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['a', null, 3], [null], ['b']]));
    const get = (range: string) => at.sheets.spreadsheets.values.get({ spreadsheetId: at.spreadsheetId, range }).then(({ data }) => [data.range, data.values], describeError);
    expect(await get('Sheet1')).toEqual(['Sheet1!A1:Z1000', [['a', '', '3'], [], ['b']]]);
    expect(await get('B1:C5000')).toEqual(['Sheet1!B1:C1000', [['', '3']]]);
    expect(await get('A2:B2')).toEqual(['Sheet1!A2:B2', undefined]);
    expect(await get('A1001')).toContain('Range (Sheet1!A1001) exceeds grid limits. Max rows: 1000, max columns: 26');
    expect(await get('Nowhere!A1')).toContain('Unable to parse range: Nowhere!A1');
  });

  test('several ranges is one read', async () => {
    await using at = await setUpSheet();
    await at.batch(writeRows([['a'], ['b']]));
    const { data } = await at.sheets.spreadsheets.values.batchGet({ spreadsheetId: at.spreadsheetId, ranges: ['A1', 'A2'] });
    expect(data.valueRanges?.map(({ values }) => values)).toEqual([[['a']], [['b']]]);
  });
});
