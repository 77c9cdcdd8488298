import { z } from 'zod';
import type { Reply } from '../../simulators/server.ts';
import { maskOf, type ApiCall } from '../api-call.ts';
import { isAtLeast, type DriveFiles } from '../drive-files.ts';
import { googleErrors } from '../errors.ts';
import { parseFieldMask, select, type FieldMask } from '../field-mask.ts';
import { applyBatch, parse } from './batch-update.ts';
import { InvalidRequest } from './invalid-request.ts';
import { areasOfFilter, dataFilter, matchMetadata, metadataResource, type DataFilter } from './metadata.ts';
import { areaOfA1, type Area } from './ranges.ts';
import { readSpreadsheet, readValues, type RenderOption } from './read.ts';
import type { Spreadsheet } from './spreadsheet.ts';

export interface SheetsDeps {
  files: DriveFiles;
  spreadsheets: Map<string, Spreadsheet>;
  newId(): number;
  create(call: ApiCall, title: string): Spreadsheet;
}

/** Which call it is, from its method and its path below `/v4/`; undefined for none that is simulated. */
export function sheetsOperation(method: string, path: string): string | undefined {
  const known: [string, RegExp, string][] = [
    ['POST', /^spreadsheets$/, 'create'],
    ['GET', /^spreadsheets\/[^/:]+$/, 'get'],
    ['POST', /^spreadsheets\/[^/]+:batchUpdate$/, 'batchUpdate'],
    ['POST', /^spreadsheets\/[^/]+:getByDataFilter$/, 'getByDataFilter'],
    ['GET', /^spreadsheets\/[^/]+\/values:batchGet$/, 'values.batchGet'],
    ['POST', /^spreadsheets\/[^/]+\/values:batchGetByDataFilter$/, 'values.batchGetByDataFilter'],
    ['GET', /^spreadsheets\/[^/]+\/values\/[^/]+$/, 'values.get'],
    ['POST', /^spreadsheets\/[^/]+\/developerMetadata:search$/, 'developerMetadata.search'],
    ['GET', /^spreadsheets\/[^/]+\/developerMetadata\/\d+$/, 'developerMetadata.get'],
  ];
  return known.find(([verb, form]) => verb === method && form.test(path))?.[2];
}

export const isWrite = (operation: string): boolean => operation === 'create' || operation === 'batchUpdate';

/** Sheets v4. Who may not see a spreadsheet gets 403, unlike in Drive; one in the bin can be read and written. */
export function createSheets(deps: SheetsDeps): (operation: string, call: ApiCall) => Reply {
  return (operation, call) => {
    if (operation === 'create') return create(deps, call);
    const spreadsheet = permitted(deps, { operation, call });
    try {
      return { status: 200, body: answer(deps, { operation, call, spreadsheet }) };
    } catch (error) {
      if (error instanceof InvalidRequest) throw googleErrors.invalidArgument(error.message);
      throw error;
    }
  };
}

function create(deps: SheetsDeps, call: ApiCall): Reply {
  const body = z.object({ properties: z.object({ title: z.string().optional() }).optional() }).parse(call.body ?? {});
  if (call.account.kind === 'serviceAccount') throw googleErrors.forbidden();
  const spreadsheet = deps.create(call, body.properties?.title ?? 'Untitled spreadsheet');
  return { status: 200, body: whole(spreadsheet, call) };
}

function permitted({ files, spreadsheets }: SheetsDeps, { operation, call }: { operation: string; call: ApiCall }): Spreadsheet {
  const spreadsheetId = decodeURIComponent(/^spreadsheets\/([^/:]+)/.exec(call.path)?.[1] ?? '');
  const spreadsheet = spreadsheets.get(spreadsheetId);
  const file = files.files.get(spreadsheetId);
  if (spreadsheet === undefined || file === undefined) throw googleErrors.notFound();
  const role = files.roleIn(call, file);
  if (!isAtLeast(role, isWrite(operation) ? 'writer' : 'reader')) throw googleErrors.forbidden();
  return spreadsheet;
}

function answer(deps: SheetsDeps, { operation, call, spreadsheet }: { operation: string; call: ApiCall; spreadsheet: Spreadsheet }): unknown {
  const { project } = call.account;
  switch (operation) {
    case 'batchUpdate':
      return batchUpdate(deps, { call, spreadsheet });
    case 'get':
      return get({ call, spreadsheet });
    case 'getByDataFilter': {
      const areas = filtersOf(call).flatMap((filter) => areasOfFilter(spreadsheet, { filter, project }));
      const includeGridData = (call.body as { includeGridData?: boolean }).includeGridData === true;
      return readSpreadsheet(spreadsheet, { areas, mask: maskOf(call, null), includeGridData, project });
    }
    case 'values.get': {
      const range = decodeURIComponent(call.path.split('/').at(-1) ?? '');
      return select(readValues(areaOfA1(spreadsheet, range), renderOption(call)), maskOf(call, null));
    }
    case 'values.batchGet': {
      const valueRanges = call.query.getAll('ranges').map((range) => readValues(areaOfA1(spreadsheet, range), renderOption(call)));
      return select({ spreadsheetId: spreadsheet.spreadsheetId, valueRanges }, maskOf(call, null));
    }
    case 'values.batchGetByDataFilter': {
      const option = (call.body as { valueRenderOption?: RenderOption }).valueRenderOption ?? 'FORMATTED_VALUE';
      const matched = filtersOf(call).flatMap((filter) => areasOfFilter(spreadsheet, { filter, project }).map((area) => ({ filter, area })));
      const valueRanges = matched.map(({ filter, area }) => ({ valueRange: readValues(area, option), dataFilters: [filter] }));
      return { spreadsheetId: spreadsheet.spreadsheetId, valueRanges };
    }
    case 'developerMetadata.search': {
      const matched = filtersOf(call).flatMap((filter) => matchMetadata(spreadsheet, { filter, project }).map((item) => ({ item, filter })));
      if (matched.length === 0) return {};
      return { matchedDeveloperMetadata: matched.map(({ item, filter }) => ({ developerMetadata: metadataResource(item), dataFilters: [filter] })) };
    }
    default: {
      const metadataId = Number(call.path.split('/').at(-1));
      const [item] = matchMetadata(spreadsheet, { filter: { developerMetadataLookup: { metadataId } }, project });
      if (item === undefined) throw googleErrors.notFound();
      return metadataResource(item);
    }
  }
}

const batchBody = z.strictObject({
  requests: z.unknown().optional(),
  includeSpreadsheetInResponse: z.boolean().optional(),
  responseRanges: z.array(z.string()).optional(),
  responseIncludeGridData: z.boolean().optional(),
});

function batchUpdate(deps: SheetsDeps, { call, spreadsheet }: { call: ApiCall; spreadsheet: Spreadsheet }): unknown {
  const body = parse(batchBody, { value: call.body, at: 'body' }) as z.infer<typeof batchBody>;
  const after = applyBatch(spreadsheet, { requests: body.requests, project: call.account.project, newId: deps.newId });
  deps.spreadsheets.set(spreadsheet.spreadsheetId, after.spreadsheet);
  const file = deps.files.files.get(spreadsheet.spreadsheetId);
  if (file) file.name = after.spreadsheet.title;
  const mask = maskOf(call, null);
  const updated = body.includeSpreadsheetInResponse ? { updatedSpreadsheet: updatedSpreadsheet(after.spreadsheet, { call, body, mask }) } : {};
  return select({ spreadsheetId: spreadsheet.spreadsheetId, replies: after.replies, ...updated }, mask);
}

/** The spreadsheet as it is after the batch, in the same answer: a look at it that costs no read. */
function updatedSpreadsheet(after: Spreadsheet, { call, body, mask }: { call: ApiCall; body: z.infer<typeof batchBody>; mask: FieldMask }): unknown {
  const areas = body.responseRanges?.map((range) => areaOfA1(after, range));
  const below = mask === true ? true : (mask.get('updatedSpreadsheet') ?? new Map<string, FieldMask>());
  return readSpreadsheet(after, { areas, mask: below, includeGridData: body.responseIncludeGridData === true, project: call.account.project });
}

function get({ call, spreadsheet }: { call: ApiCall; spreadsheet: Spreadsheet }): unknown {
  const ranges = call.query.getAll('ranges');
  const areas: Area[] | undefined = ranges.length > 0 ? ranges.map((range) => areaOfA1(spreadsheet, range)) : undefined;
  const includeGridData = call.query.get('includeGridData') === 'true';
  return readSpreadsheet(spreadsheet, { areas, mask: maskOf(call, null), includeGridData, project: call.account.project });
}

const whole = (spreadsheet: Spreadsheet, call: ApiCall): unknown =>
  readSpreadsheet(spreadsheet, { areas: undefined, mask: parseFieldMask(null) ?? true, includeGridData: false, project: call.account.project });

function filtersOf(call: ApiCall): DataFilter[] {
  const filters = (call.body as { dataFilters?: unknown }).dataFilters;
  return parse(z.array(dataFilter).min(1), { value: filters, at: 'data_filters' }) as DataFilter[];
}

function renderOption({ query }: ApiCall): RenderOption {
  const option = query.get('valueRenderOption') ?? 'FORMATTED_VALUE';
  if (option !== 'FORMATTED_VALUE' && option !== 'UNFORMATTED_VALUE' && option !== 'FORMULA') throw googleErrors.invalidArgument(`Invalid value at 'value_render_option': "${option}"`);
  return option;
}
