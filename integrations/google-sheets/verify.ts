import type { LedgerEntry, Verified, VerifyPage, Settled } from '../provider.ts';
import { columnsOf, responseColumns, type Column } from './column.ts';
import { differenceIn } from './compare-row.ts';
import { eventRow, erasedRank, type EventRow } from './event-row.ts';
import { knownRank } from './family-state.ts';
import { bringHeader } from './open-part.ts';
import { readParts } from './parts-ledger.ts';
import { rowOf, type Part } from './parts.ts';
import { placesOf } from './plan-header.ts';
import { readRows, spansOf } from './read-rows.ts';
import { erasedRow, type RowCells } from './row-cells.ts';
import { findSurplus } from './surplus.ts';
import { GoogleTrouble } from './trouble.ts';
import { assertOutOfBin, readBySight, sightOf, type Workbook } from './workbook.ts';
import { writePart } from './write-part.ts';

/** A response as it should stand in the sheet; `responseId` of an event, undefined for one that was erased. */
interface Wanted {
  familyId: string;
  responseId: EventId | undefined;
  row: RowCells;
}
type EventId = Verified['differing'][number]['responseId'];

/**
 * Compares the rows of a page's responses, and with the last page everything that looks like a row of ours. What a newer
 * event is about to change is left out: its own delivery brings it. Rows are written again by deliveries; what no delivery
 * would mend is mended here: erased responses that are to be seen, and copies of rows where no response has its place.
 */
export async function verify(page: VerifyPage, workbook: Workbook): Promise<Settled<Verified>> {
  const { ledger } = workbook.context;
  const parts = await readParts(ledger);
  if (parts.length === 0) return { status: 'throttled', reason: 'The spreadsheet is not made yet.', afterMs: 5_000 };
  const rows = page.events.map((event) => ({ responseId: event.responseId, row: eventRow(event) }));
  const known = await ledger.read([...new Set([...rows.map(({ row }) => row.familyId), ...page.erased])]);
  const current = rows.filter(({ row }) => row.rank >= knownRank(known.get(row.familyId)));
  const wanted: Wanted[] = [
    ...current.map(({ responseId, row }) => ({ familyId: row.familyId, responseId, row: row.row })),
    ...page.erased.map((familyId) => ({ familyId, responseId: undefined, row: erasedRow })),
  ];
  const columns = await columnsFor(workbook, current.map(({ row }) => row));
  const found = await compare(workbook, { wanted, known, parts, columns, repair: page.repair });
  const surplus = page.isLast ? await findSurplus(workbook, { parts, repair: page.repair }) : [];
  return { status: 'done', differing: found.differing, surplus: [...found.surplus, ...surplus] };
}

async function columnsFor({ context }: Workbook, rows: readonly EventRow[]): Promise<readonly Column[]> {
  const form = await context.form(Math.max(1, ...rows.filter(({ rank }) => rank !== erasedRank).map(({ formVersion }) => formVersion)));
  return form ? columnsOf(form.questions) : responseColumns;
}

interface Comparison {
  wanted: readonly Wanted[];
  known: ReadonlyMap<string, LedgerEntry>;
  parts: readonly Part[];
  columns: readonly Column[];
  repair: boolean;
}

async function compare(workbook: Workbook, { wanted, known, parts, columns, repair }: Comparison): Promise<Verified> {
  const differing: Verified['differing'][number][] = [];
  const surplus: string[] = [];
  const placed = wanted.map((one) => ({ one, at: placeOf(known.get(one.familyId), parts) }));
  for (const { one, at } of placed) if (!at && one.responseId) differing.push({ responseId: one.responseId, difference: 'It has no row yet.' });
  for (const { spreadsheetId } of parts) {
    const rows = placed.flatMap(({ one, at }) => (at?.part.spreadsheetId === spreadsheetId ? [{ ...one, rowIndex: at.rowIndex }] : []));
    if (rows.length === 0) continue;
    const wrong = await differencesIn(workbook, { spreadsheetId, rows, columns, repair });
    for (const { responseId, difference } of wrong) if (responseId) differing.push({ responseId, difference });
    const seen = wrong.filter(({ responseId }) => responseId === undefined);
    for (const { difference } of seen) surplus.push(`Of an erased response: ${difference}`);
    if (repair && seen.length > 0) await erase(workbook, { spreadsheetId, rows: seen });
  }
  return { differing, surplus };
}

function placeOf(entry: LedgerEntry | undefined, parts: readonly Part[]): { part: Part; rowIndex: number } | undefined {
  return typeof entry?.place === 'number' ? rowOf(parts, entry.place) : undefined;
}

type PlacedWanted = Wanted & { rowIndex: number };

async function differencesIn(
  workbook: Workbook,
  { spreadsheetId, rows, columns, repair }: { spreadsheetId: string; rows: readonly PlacedWanted[]; columns: readonly Column[]; repair: boolean },
): Promise<(PlacedWanted & { difference: string })[]> {
  await assertOutOfBin(workbook, spreadsheetId);
  if (repair) await bringHeader(workbook, { spreadsheetId, sight: await sightOf(workbook, spreadsheetId), wanted: columns });
  const { found, places } = await readBySight(workbook, spreadsheetId, async (sight) => {
    const spans = spansOf(rows.map(({ rowIndex }) => rowIndex), sight);
    return { found: await readRows(workbook.google, { spreadsheetId, spans, columns: { start: 0, end: sight.columnCount } }), places: placesOf(sight.header) };
  });
  const titles = new Map(columns.map(({ id, title }) => [id, title]));
  return rows.flatMap((one) => {
    const difference = differenceIn({ expected: one.row, found: found.get(one.rowIndex), rowIndex: one.rowIndex, places, titles });
    return difference === undefined ? [] : [{ ...one, difference }];
  });
}

async function erase(workbook: Workbook, { spreadsheetId, rows }: { spreadsheetId: string; rows: readonly PlacedWanted[] }): Promise<void> {
  const outcomes = await writePart(workbook, { spreadsheetId, wanted: undefined, rows });
  for (const outcome of outcomes.values()) if (outcome.status === 'trouble') throw new GoogleTrouble(outcome.trouble);
}
