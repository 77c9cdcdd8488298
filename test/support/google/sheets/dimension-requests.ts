import { z } from 'zod';
import { InvalidRequest } from './invalid-request.ts';
import { dimension, dimensionRange, type Dimension } from './ranges.ts';
import { requestKind } from './request.ts';
import { checkSize, sheetOf, type DeveloperMetadata, type Row, type Sheet, type Spreadsheet } from './spreadsheet.ts';

export const appendDimension = requestKind(z.strictObject({ sheetId: z.number().int().optional(), dimension, length: z.number().int() }), ({ spreadsheet }, input) => {
  const sheet = sheetOf(spreadsheet, input.sheetId);
  if (input.length <= 0) throw new InvalidRequest('length must be greater than 0.');
  grow(sheet, input.dimension, input.length);
  checkSize(spreadsheet);
  return undefined;
});

const insertInput = z.strictObject({ range: dimensionRange, inheritFromBefore: z.boolean().optional() });

export const insertDimension = requestKind(insertInput, ({ spreadsheet }, { range, inheritFromBefore = false }) => {
  const { sheet, start, end, size } = spanOf(spreadsheet, range, Infinity);
  if (start > size || (start === size && !inheritFromBefore)) {
    throw new InvalidRequest(`range.startIndex[${start}] must be less than the grid size (${size}) if inheritFromBefore is false.`);
  }
  if (inheritFromBefore && start === 0) throw new InvalidRequest('inheritFromBefore cannot be true if inserting at index 0.');
  const count = end - start;
  grow(sheet, range.dimension, count);
  checkSize(spreadsheet);
  reorder({ sheet, dimension: range.dimension }, (lines) => (start < lines.length ? lines.toSpliced(start, 0, ...Array.from({ length: count }, () => undefined)) : lines));
  relocate(spreadsheet, { sheet, dimension: range.dimension }, (index) => (index >= start ? index + count : index));
  return undefined;
});

export const deleteDimension = requestKind(z.strictObject({ range: dimensionRange }), ({ spreadsheet }, { range }) => {
  const { sheet, start, end, size, name } = spanOf(spreadsheet, range);
  const frozen = range.dimension === 'ROWS' ? sheet.frozenRowCount : sheet.frozenColumnCount;
  const count = end - start;
  if (count === size) throw new InvalidRequest(`You can't delete all the ${name}s on the sheet.`);
  const frozenAfter = frozen - Math.max(0, Math.min(end, frozen) - start);
  if (frozen > 0 && size - count <= frozenAfter) throw new InvalidRequest(`Sorry, it is not possible to delete all non-frozen ${name}s.`);
  reorder({ sheet, dimension: range.dimension }, (lines) => lines.toSpliced(start, count));
  relocate(spreadsheet, { sheet, dimension: range.dimension }, (index) => (index < start ? index : index < end ? undefined : index - count));
  grow(sheet, range.dimension, -count);
  if (range.dimension === 'ROWS') sheet.frozenRowCount = frozenAfter;
  else sheet.frozenColumnCount = frozenAfter;
  return undefined;
});

/** `destinationIndex` is counted before the moved ones are taken out. */
export const moveDimension = requestKind(z.strictObject({ source: dimensionRange, destinationIndex: z.number().int().optional() }), ({ spreadsheet }, { source, destinationIndex: to = 0 }) => {
  const { sheet, start, end, size } = spanOf(spreadsheet, source);
  if (to < 0 || to > size) throw new InvalidRequest(`destinationIndex[${to}] is outside the grid of size ${size}.`);
  if (to > start && to < end) throw new InvalidRequest('destinationIndex must not be inside the source range.');
  const moved = (index: number): number => {
    if (index >= start && index < end) return to <= start ? index - start + to : index + to - end;
    if (index >= to && index < start) return index + end - start;
    if (index >= end && index < to) return index - (end - start);
    return index;
  };
  reorder({ sheet, dimension: source.dimension }, (lines) => {
    const placed: typeof lines[number][] = [];
    lines.forEach((line, index) => {
      placed[moved(index)] = line;
    });
    return Array.from(placed);
  });
  relocate(spreadsheet, { sheet, dimension: source.dimension }, moved);
  return undefined;
});

type Span = { sheet: Sheet; start: number; end: number; size: number; name: 'row' | 'column' };

function spanOf(spreadsheet: Spreadsheet, range: z.infer<typeof dimensionRange>, most?: number): Span {
  const sheet = sheetOf(spreadsheet, range.sheetId);
  const [size, name] = range.dimension === 'ROWS' ? ([sheet.rowCount, 'row'] as const) : ([sheet.columnCount, 'column'] as const);
  const { startIndex: start = 0, endIndex: end = size } = range;
  if (start < 0 || end <= start) throw new InvalidRequest(`Invalid range: startIndex ${start}, endIndex ${end}.`);
  if (end > (most ?? size)) {
    throw new InvalidRequest(`Cannot use a ${name} that doesn't exist. Tried ${name} index ${Math.max(start, size)} but there are only ${size} ${name}s.`);
  }
  return { sheet, start, end, size, name };
}

type Along = { sheet: Sheet; dimension: Dimension };

function grow(sheet: Sheet, dimension: Dimension, by: number): void {
  if (dimension === 'ROWS') sheet.rowCount += by;
  else sheet.columnCount += by;
}

function reorder({ sheet, dimension }: Along, change: <Line>(lines: readonly (Line | undefined)[]) => readonly (Line | undefined)[]): void {
  if (dimension === 'ROWS') sheet.rows = change<Row>(sheet.rows).map((row) => row ?? []);
  else sheet.rows = sheet.rows.map((row) => change(row));
}

/** Metadata goes with its row or column, and away with it. */
function relocate(spreadsheet: Spreadsheet, { sheet, dimension }: Along, moved: (index: number) => number | undefined): void {
  const type = dimension === 'ROWS' ? 'ROW' : 'COLUMN';
  spreadsheet.metadata = spreadsheet.metadata.flatMap((item): DeveloperMetadata[] => {
    const { place } = item;
    if (place.locationType !== type || place.sheetId !== sheet.sheetId) return [item];
    const index = moved(place.index);
    return index === undefined ? [] : [{ ...item, place: { ...place, index } }];
  });
}
