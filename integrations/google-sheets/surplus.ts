import { isId } from '../../src/events/id.ts';
import { whileClosed } from './closing.ts';
import { positionOf, type Part } from './parts.ts';
import { placesOf } from './plan-header.ts';
import { readRows, spansOf } from './read-rows.ts';
import type { RowCells } from './row-cells.ts';
import type { Sight } from './sight.ts';
import { GoogleTrouble } from './trouble.ts';
import { readBySight, sightOf, type Workbook } from './workbook.ts';
import { writePart } from './write-part.ts';

const limits = { rowsPerRead: 10_000, keysPerRead: 1_000, sentences: 1_000 };

/** A row that says it is of a response whose own row is elsewhere. */
interface Stray {
  rowIndex: number;
  familyId: string;
  ownPosition: number;
}

/**
 * Looks through all of the sheet for rows of ours that stand where they should not: a user sorted, copied or moved them.
 * Where another response has its place, that one's own check has found its row wrong, and its delivery puts it back. Only
 * below all places of responses is there nobody to write over a row: these are cleared, where that is asked for.
 */
export async function findSurplus(workbook: Workbook, { parts, repair }: { parts: readonly Part[]; repair: boolean }): Promise<string[]> {
  const sentences: string[] = [];
  for (const part of parts) {
    const { strays, lastPosition } = await readBySight(workbook, part.spreadsheetId, (sight) => straysIn(workbook, { part, sight, rows: { start: 1, end: sight.rowCount } }));
    sentences.push(...strays.map(({ rowIndex, familyId }) => `Row ${rowIndex + 1} is a copy of the row of ${familyId}.`));
    const ownerless = strays.filter(({ rowIndex }) => (positionOf(part, rowIndex) ?? 0) > lastPosition);
    if (repair && part === parts.at(-1) && ownerless.length > 0) await clear(workbook, part, ownerless);
  }
  if (sentences.length <= limits.sentences) return sentences;
  return [...sentences.slice(0, limits.sentences), `And ${sentences.length - limits.sentences} more rows.`];
}

interface Span {
  part: Part;
  sight: Sight;
  rows: { start: number; end: number };
}

/** `lastPosition`: the highest place of any response that the rows name. */
async function straysIn({ google, context }: Workbook, { part, sight, rows }: Span): Promise<{ strays: Stray[]; lastPosition: number }> {
  const column = placesOf(sight.header).get('response');
  const strays: Stray[] = [];
  let lastPosition = -1;
  if (column === undefined) return { strays, lastPosition };
  for (let start = rows.start; start < rows.end; start += limits.rowsPerRead) {
    const spans = [{ start, end: Math.min(start + limits.rowsPerRead, rows.end) }];
    const found = await readRows(google, { spreadsheetId: part.spreadsheetId, spans, columns: { start: column, end: column + 1 } });
    const named = [...found].flatMap(([rowIndex, [id]]) => (typeof id === 'string' && isId('resp', id) ? [{ rowIndex, familyId: id }] : []));
    const places = await placesOfFamilies(context.ledger, named.map(({ familyId }) => familyId));
    for (const { rowIndex, familyId } of named) {
      const ownPosition = places.get(familyId);
      if (ownPosition === undefined) continue;
      lastPosition = Math.max(lastPosition, ownPosition);
      if (ownPosition !== positionOf(part, rowIndex)) strays.push({ rowIndex, familyId, ownPosition });
    }
  }
  return { strays, lastPosition };
}

async function placesOfFamilies(ledger: Workbook['context']['ledger'], families: readonly string[]): Promise<Map<string, number>> {
  const distinct = [...new Set(families)];
  const places = new Map<string, number>();
  for (let start = 0; start < distinct.length; start += limits.keysPerRead) {
    const entries = await ledger.read(distinct.slice(start, start + limits.keysPerRead));
    for (const [familyId, { place }] of entries) if (place !== null) places.set(familyId, place);
  }
  return places;
}

const blankRow: RowCells = { cells: new Map(), cut: [] };

/**
 * The next response may get the very place that is to be cleared, so no rows are written meanwhile, and the rows are
 * looked at once more: one that has come to its own place by then is left alone.
 */
async function clear(workbook: Workbook, part: Part, rows: readonly Stray[]): Promise<void> {
  const cleared = await whileClosed(workbook.context, async () => {
    const sight = await sightOf(workbook, part.spreadsheetId);
    const spans = spansOf(rows.map(({ rowIndex }) => rowIndex), sight);
    const indexes = new Set(rows.map(({ rowIndex }) => rowIndex));
    for (const span of spans) {
      const { strays } = await straysIn(workbook, { part, sight, rows: span });
      const still = strays.filter(({ rowIndex }) => indexes.has(rowIndex));
      const outcomes = await writePart(workbook, { spreadsheetId: part.spreadsheetId, wanted: undefined, rows: still.map(({ rowIndex }) => ({ rowIndex, row: blankRow })) });
      for (const outcome of outcomes.values()) if (outcome.status === 'trouble') throw new GoogleTrouble(outcome.trouble);
    }
    return true;
  });
  if (!cleared) throw new GoogleTrouble({ status: 'throttled', reason: 'The spreadsheet is being repaired already.', afterMs: 10_000 });
}
