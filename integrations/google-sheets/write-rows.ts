import type { sheets_v4 } from '@googleapis/sheets';
import type { Cell, RowCells } from './row-cells.ts';

type Request = sheets_v4.Schema$Request;

/** A row at its place in the sheet, counted from 0 with the header. */
export interface PlacedRow {
  rowIndex: number;
  row: RowCells;
}

export interface WriteTarget {
  sheetId: number;
  rowCount: number;
  /** Where each of our columns stands. */
  places: ReadonlyMap<string, number>;
}

/** The sheet grows by so many rows at a time, at least: each growth is a request. */
const growthRows = 1_000;

/**
 * The requests that put rows where they belong, whatever stands there now: sent again they give the same sheet. Only our
 * columns are touched, in each row all of them. Of rows for the same place the last one counts.
 */
export function writeRequests(target: WriteTarget, rows: readonly PlacedRow[]): Request[] {
  const byIndex = new Map(rows.map(({ rowIndex, row }) => [rowIndex, row]));
  const sorted = [...byIndex].sort(([left], [right]) => left - right).map(([rowIndex, row]) => ({ rowIndex, row }));
  const segments = runs([...target.places].sort(([, left], [, right]) => left - right), ([, index]) => index);
  const blocks = runs(sorted, ({ rowIndex }) => rowIndex);
  const writes = blocks.flatMap((block) => segments.map((segment) => writeRequest(target.sheetId, block, segment)));
  return [...growRequests(target, sorted.at(-1)?.rowIndex ?? -1), ...writes];
}

function growRequests({ sheetId, rowCount }: WriteTarget, lastIndex: number): Request[] {
  const missing = lastIndex + 1 - rowCount;
  if (missing <= 0) return [];
  return [{ appendDimension: { sheetId, dimension: 'ROWS', length: Math.ceil(missing / growthRows) * growthRows } }];
}

function writeRequest(sheetId: number, block: readonly PlacedRow[], segment: readonly [string, number][]): Request {
  const start = { sheetId, rowIndex: block[0]?.rowIndex ?? 0, columnIndex: segment[0]?.[1] ?? 0 };
  const rows = block.map(({ row }) => ({ values: segment.map(([id]): Cell => row.cells.get(id) ?? {}) }));
  return { updateCells: { start, rows, fields: 'userEnteredValue' } };
}

/** Splits a sorted list where the next number is not the one after. */
function runs<Item>(sorted: readonly Item[], numberOf: (item: Item) => number): Item[][] {
  const all: Item[][] = [];
  let before: number | undefined;
  for (const item of sorted) {
    const current = numberOf(item);
    if (before !== undefined && current === before + 1) all.at(-1)?.push(item);
    else all.push([item]);
    before = current;
  }
  return all;
}
