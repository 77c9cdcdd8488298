import { z } from 'zod';
import { InvalidRequest } from './invalid-request.ts';
import { areaOf, areaOfA1, dimensionRange, gridRange, type Area } from './ranges.ts';
import { limits, sheetOf, type DeveloperMetadata, type MetadataPlace, type Spreadsheet } from './spreadsheet.ts';

export const metadataLocation = z.strictObject({
  locationType: z.enum(['ROW', 'COLUMN', 'SHEET', 'SPREADSHEET']).optional(),
  spreadsheet: z.boolean().optional(),
  sheetId: z.number().int().optional(),
  dimensionRange: dimensionRange.optional(),
});

const visibility = z.enum(['DOCUMENT', 'PROJECT']);

export const developerMetadata = z.strictObject({
  metadataId: z.number().int().optional(),
  metadataKey: z.string().optional(),
  metadataValue: z.string().optional(),
  location: metadataLocation.optional(),
  visibility: visibility.optional(),
});

const lookup = z.strictObject({
  locationType: z.enum(['ROW', 'COLUMN', 'SHEET', 'SPREADSHEET']).optional(),
  metadataLocation: metadataLocation.optional(),
  locationMatchingStrategy: z.enum(['EXACT_LOCATION', 'INTERSECTING_LOCATION']).optional(),
  metadataId: z.number().int().optional(),
  metadataKey: z.string().optional(),
  metadataValue: z.string().optional(),
  visibility: visibility.optional(),
});
type Lookup = z.infer<typeof lookup>;

export const dataFilter = z.strictObject({
  developerMetadataLookup: lookup.optional(),
  a1Range: z.string().optional(),
  gridRange: gridRange.optional(),
});
export type DataFilter = z.infer<typeof dataFilter>;

/** Reads where metadata is to be; a range has to be exactly one row or one column. */
export function placeOf(spreadsheet: Spreadsheet, location: z.infer<typeof metadataLocation> | undefined): MetadataPlace {
  if (location?.spreadsheet) return { locationType: 'SPREADSHEET' };
  if (location?.sheetId !== undefined) return { locationType: 'SHEET', sheetId: sheetOf(spreadsheet, location.sheetId).sheetId };
  const range = location?.dimensionRange;
  if (range === undefined) throw new InvalidRequest('developerMetadata.location must be specified.');
  const sheet = sheetOf(spreadsheet, range.sheetId);
  const { startIndex: index = 0, endIndex } = range;
  if (endIndex !== index + 1) throw new InvalidRequest('developerMetadata.location.dimensionRange must represent a single row or column.');
  const size = range.dimension === 'ROWS' ? sheet.rowCount : sheet.columnCount;
  if (index < 0 || index >= size) throw new InvalidRequest(`developerMetadata.location.dimensionRange is outside the grid of ${size} ${range.dimension.toLowerCase()}.`);
  return { locationType: range.dimension === 'ROWS' ? 'ROW' : 'COLUMN', sheetId: sheet.sheetId, index };
}

/** As the API shows it. */
export function metadataResource({ metadataId, metadataKey, metadataValue, visibility, place }: DeveloperMetadata): Record<string, unknown> {
  return { metadataId, metadataKey, ...(metadataValue !== undefined && { metadataValue }), location: locationOf(place), visibility };
}

function locationOf(place: MetadataPlace): Record<string, unknown> {
  switch (place.locationType) {
    case 'SPREADSHEET':
      return { locationType: 'SPREADSHEET', spreadsheet: true };
    case 'SHEET':
      return place;
    case 'ROW':
    case 'COLUMN': {
      const dimension = place.locationType === 'ROW' ? 'ROWS' : 'COLUMNS';
      return { locationType: place.locationType, dimensionRange: { sheetId: place.sheetId, dimension, startIndex: place.index, endIndex: place.index + 1 } };
    }
  }
}

/** What of the metadata a caller's project sees and the filter fits. */
export function matchMetadata(spreadsheet: Spreadsheet, { filter, project }: { filter: DataFilter; project: string }): DeveloperMetadata[] {
  const visible = spreadsheet.metadata.filter((item) => item.visibility === 'DOCUMENT' || item.project === project);
  if (filter.developerMetadataLookup !== undefined) return visible.filter((item) => isMatch(spreadsheet, item, filter.developerMetadataLookup ?? {}));
  const area = filterArea(spreadsheet, filter);
  return visible.filter(({ place }) => touches(place, area));
}

function isMatch(spreadsheet: Spreadsheet, item: DeveloperMetadata, asked: Lookup): boolean {
  if (asked.metadataId !== undefined && asked.metadataId !== item.metadataId) return false;
  if (asked.metadataKey !== undefined && asked.metadataKey !== item.metadataKey) return false;
  if (asked.metadataValue !== undefined && asked.metadataValue !== item.metadataValue) return false;
  if (asked.visibility !== undefined && asked.visibility !== item.visibility) return false;
  if (asked.locationType !== undefined && asked.locationType !== item.place.locationType) return false;
  if (asked.metadataLocation === undefined) return true;
  const place = placeOf(spreadsheet, asked.metadataLocation);
  if (JSON.stringify(place) === JSON.stringify(item.place)) return true;
  return asked.locationMatchingStrategy !== 'EXACT_LOCATION' && contains(place, item.place);
}

function contains(outer: MetadataPlace, inner: MetadataPlace): boolean {
  if (outer.locationType === 'SPREADSHEET') return true;
  return outer.locationType === 'SHEET' && 'sheetId' in inner && inner.sheetId === outer.sheetId;
}

function touches(place: MetadataPlace, area: Area): boolean {
  if (!('sheetId' in place) || place.sheetId !== area.sheet.sheetId || !('index' in place)) return false;
  const [start, end] = place.locationType === 'ROW' ? [area.startRow, area.endRow] : [area.startColumn, area.endColumn];
  return place.index >= start && place.index < end;
}

function filterArea(spreadsheet: Spreadsheet, { a1Range, gridRange: range }: DataFilter): Area {
  if (a1Range !== undefined) return areaOfA1(spreadsheet, a1Range);
  if (range !== undefined) return areaOf(spreadsheet, range);
  throw new InvalidRequest('A data filter must have one of developerMetadataLookup, a1Range and gridRange.');
}

/** The cells a filter means: those of the rows, columns and sheets whose metadata fits, or the range itself. */
export function areasOfFilter(spreadsheet: Spreadsheet, asked: { filter: DataFilter; project: string }): Area[] {
  if (asked.filter.developerMetadataLookup === undefined) return [filterArea(spreadsheet, asked.filter)];
  return matchMetadata(spreadsheet, asked).flatMap(({ place }) => {
    if (!('sheetId' in place)) return [];
    const range = { sheetId: place.sheetId };
    if (place.locationType === 'ROW') return [areaOf(spreadsheet, { ...range, startRowIndex: place.index, endRowIndex: place.index + 1 })];
    if (place.locationType === 'COLUMN') return [areaOf(spreadsheet, { ...range, startColumnIndex: place.index, endColumnIndex: place.index + 1 })];
    return [areaOf(spreadsheet, range)];
  });
}

/** Keys and values together may have 30,000 characters a sheet, and as many for the spreadsheet itself. */
export function checkMetadataSize({ metadata }: Spreadsheet): void {
  const sizes = new Map<number | undefined, number>();
  for (const { place, metadataKey, metadataValue = '' } of metadata) {
    const owner = 'sheetId' in place ? place.sheetId : undefined;
    sizes.set(owner, (sizes.get(owner) ?? 0) + metadataKey.length + metadataValue.length);
  }
  if ([...sizes.values()].some((size) => size > limits.metadataCharacters)) {
    throw new InvalidRequest(`The total size of developer metadata exceeds the limit of ${limits.metadataCharacters} characters.`);
  }
}
