import { z } from 'zod';
import type { Google } from './google.ts';
import { sheetId, type Sight } from './sight.ts';

/** What stands in a cell, as its kind; an empty one has an empty text. */
export type CellValue = string | number | boolean;

export interface RowSpan {
  /** From 0 with the header; `end` is the row after the last one. */
  start: number;
  end: number;
}

const values = z.object({
  valueRanges: z.array(
    z.object({
      valueRange: z.object({ values: z.array(z.array(z.union([z.string(), z.number(), z.boolean()]))).default([]) }),
      dataFilters: z.array(z.object({ gridRange: z.object({ startRowIndex: z.number().default(0) }) })).min(1),
    }),
  ),
});

/**
 * Reads spans of rows, from the column `start` up to before `end`; what is empty at the end of a row, and rows at the end
 * of a span, are left out. Spans reach no further than the sheet. Costs one read.
 */
export async function readRows(google: Google, from: { spreadsheetId: string; spans: readonly RowSpan[]; columns: { start: number; end: number } }): Promise<Map<number, readonly CellValue[]>> {
  const { spreadsheetId, spans, columns } = from;
  const dataFilters = spans.map(({ start, end }) => ({
    gridRange: { sheetId, startRowIndex: start, endRowIndex: end, startColumnIndex: columns.start, endColumnIndex: columns.end },
  }));
  if (dataFilters.length === 0) return new Map();
  const requestBody = { dataFilters, valueRenderOption: 'UNFORMATTED_VALUE', majorDimension: 'ROWS' };
  const { valueRanges } = await google.ask(values, ({ sheets, options }) => sheets.spreadsheets.values.batchGetByDataFilter({ spreadsheetId, requestBody }, options));
  return new Map(
    valueRanges.flatMap(({ valueRange, dataFilters: [filter] }) =>
      valueRange.values.map((cells, offset): [number, readonly CellValue[]] => [(filter?.gridRange.startRowIndex ?? 0) + offset, cells]),
    ),
  );
}

/** Rows that lie near each other are read together: a few too many cost less than another range. */
const nearRows = 50;

export function spansOf(rowIndexes: readonly number[], { rowCount }: Pick<Sight, 'rowCount'>): RowSpan[] {
  const spans: RowSpan[] = [];
  for (const index of rowIndexes.filter((one) => one < rowCount).toSorted((left, right) => left - right)) {
    const last = spans.at(-1);
    if (last && index - last.end < nearRows) last.end = index + 1;
    else spans.push({ start: index, end: index + 1 });
  }
  return spans;
}
