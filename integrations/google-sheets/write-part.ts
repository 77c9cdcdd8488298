import type { Column } from './column.ts';
import { batchLength } from './batch-size.ts';
import { bringHeader } from './open-part.ts';
import { placesOf } from './plan-header.ts';
import { rowBytes, type RowCells } from './row-cells.ts';
import { sendBatch, sheetId, type Sight } from './sight.ts';
import { GoogleTrouble, isRefusal, type Trouble } from './trouble.ts';
import { sightOf, type Workbook } from './workbook.ts';
import { writeRequests, type PlacedRow } from './write-rows.ts';

export interface PartRows {
  spreadsheetId: string;
  /** The columns of the form, where it still is one. */
  wanted: readonly Column[] | undefined;
  rows: readonly PlacedRow[];
}

/** What became of a row; of one that is `refused`, the sheet says so at its place. */
export type RowOutcome = { status: 'written' } | { status: 'refused'; reason: string } | { status: 'trouble'; trouble: Trouble };

/** Writes rows where they belong, in as few batches as they fit into. What went wrong ends it: the rows after it share that. */
export async function writePart(workbook: Workbook, part: PartRows): Promise<Map<PlacedRow, RowOutcome>> {
  const outcomes = new Map<PlacedRow, RowOutcome>();
  try {
    for (const rows of batches(part.rows)) await writeOrSplit(workbook, { ...part, rows }, outcomes);
  } catch (error) {
    if (!(error instanceof GoogleTrouble)) throw error;
    workbook.memory.forget(part.spreadsheetId);
    for (const row of part.rows) if (!outcomes.has(row)) outcomes.set(row, { status: 'trouble', trouble: error.trouble });
  }
  return outcomes;
}

function* batches(rows: readonly PlacedRow[]): Generator<readonly PlacedRow[]> {
  const sizes = rows.map(({ row }) => rowBytes(row));
  for (let start = 0; start < rows.length; ) {
    const length = batchLength(sizes.slice(start));
    yield rows.slice(start, start + length);
    start += length;
  }
}

/** A batch that Google refuses is split, until the row is alone that it refuses. */
async function writeOrSplit(workbook: Workbook, part: PartRows, outcomes: Map<PlacedRow, RowOutcome>): Promise<void> {
  const { rows } = part;
  try {
    await writeRows(workbook, part);
    for (const row of rows) outcomes.set(row, { status: 'written' });
  } catch (error) {
    if (!isRefusal(error)) throw error;
    const [only] = rows;
    if (rows.length === 1 && only) return void outcomes.set(only, await markRefused(workbook, { ...part, rows: [only] }, error.trouble.reason));
    const half = Math.ceil(rows.length / 2);
    await writeOrSplit(workbook, { ...part, rows: rows.slice(0, half) }, outcomes);
    await writeOrSplit(workbook, { ...part, rows: rows.slice(half) }, outcomes);
  }
}

/** What a row was refused for is its own fault only where its place takes another; throws where that is refused as well. */
async function markRefused(workbook: Workbook, part: PartRows, reason: string): Promise<RowOutcome> {
  await writeRows(workbook, { ...part, rows: part.rows.map(({ rowIndex, row }) => ({ rowIndex, row: refusedRow(row) })) });
  return { status: 'refused', reason };
}

const refusedRow = ({ cells }: RowCells): RowCells => ({
  cells: new Map([['response', cells.get('response') ?? {}], ['flags', { userEnteredValue: { stringValue: '(could not be written)' } }]]),
  cut: [],
});

const tries = 3;

/**
 * One batch, at the coordinates of what was seen of the header. Its answer says where our columns stood when it took
 * effect: where a user has moved them since we looked, the rows are written once more, and cleared where they should not
 * have come. What the user had in these very rows of a column of their own is lost then.
 */
async function writeRows(workbook: Workbook, { spreadsheetId, wanted, rows }: PartRows): Promise<void> {
  const strays = new Set<number>();
  for (let count = 0; count < tries; count += 1) {
    const isRemembered = workbook.memory.sight(spreadsheetId) !== undefined;
    const seen = await sightOf(workbook, spreadsheetId);
    const sight = wanted ? await bringHeader(workbook, { spreadsheetId, sight: seen, wanted }) : seen;
    try {
      if (await writeAt(workbook, { spreadsheetId, sight, rows, strays })) return;
    } catch (error) {
      if (!isRefusal(error) || !isRemembered) throw error;
    }
    workbook.memory.forget(spreadsheetId);
  }
  throw new GoogleTrouble({ status: 'retry', error: 'REFUSED', reason: 'The columns of the spreadsheet are being moved about just now.' });
}

interface Attempt {
  spreadsheetId: string;
  sight: Sight;
  rows: readonly PlacedRow[];
  /** Columns that were written to by mistake: cleared in these rows, and more of them noted. */
  strays: Set<number>;
}

/** Whether all columns stood where they were seen. */
async function writeAt({ google, memory, context }: Workbook, { spreadsheetId, sight, rows, strays }: Attempt): Promise<boolean> {
  const own = placesOf(sight.header);
  const taken = new Set(own.values());
  const cleared = [...strays].filter((index) => !taken.has(index) && index < sight.columnCount);
  const places = new Map([...own, ...cleared.map((index): [string, number] => [`stray ${index}`, index])]);
  const requests = writeRequests({ sheetId, rowCount: sight.rowCount, places }, rows);
  const seenAt = context.now().getTime();
  const found = await sendBatch(google, spreadsheetId, requests);
  if ([...own].every(([id, index]) => found.get(id) === index)) {
    const grown = requests.find(({ appendDimension }) => appendDimension)?.appendDimension?.length ?? 0;
    memory.keepSight(spreadsheetId, { ...sight, rowCount: sight.rowCount + grown, seenAt });
    return true;
  }
  for (const index of places.values()) strays.add(index);
  return false;
}
