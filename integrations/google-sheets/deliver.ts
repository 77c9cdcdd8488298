import { setImmediate as nextTurn } from 'node:timers/promises';
import type { DeliveryRequest, FormShape, LedgerEntry, Outcome } from '../provider.ts';
import { isClosed, readClosing, type Closing } from './closing.ts';
import { columnsOf } from './column.ts';
import { erasedRank, eventRow, type EventRow } from './event-row.ts';
import { knownRank, newestOf, noteRanks } from './family-state.ts';
import { withRoom } from './next-part.ts';
import { readParts } from './parts-ledger.ts';
import { rowOf, type Part } from './parts.ts';
import { outcomeOfRow, type RowNote } from './row-outcome.ts';
import { GoogleTrouble } from './trouble.ts';
import { assertOutOfBin, type Workbook } from './workbook.ts';
import { writePart, type RowOutcome } from './write-part.ts';
import type { PlacedRow } from './write-rows.ts';

/** Puts the responses of a batch into their rows; see `writeRows` for what a repeat and a user's changes do. */
export async function deliver(batch: readonly DeliveryRequest[], workbook: Workbook): Promise<Outcome[]> {
  const { ledger, now } = workbook.context;
  const parts = await readParts(ledger);
  if (parts.length === 0) return all(batch, { status: 'throttled', reason: 'The spreadsheet is not made yet.', afterMs: 5_000 });
  const closing = await readClosing(ledger);
  if (isClosed(closing, now())) return all(batch, repaired);
  if (!workbook.memory.keepClosings(workbook.context.integrationId, closing.count)) for (const { spreadsheetId } of parts) workbook.memory.forget(spreadsheetId);
  const rows = await eventRows(batch);
  const notes = await writeFamilies(workbook, { newest: newestOf(rows.filter((row) => row !== undefined)), parts });
  if (await wasClosed(workbook, closing)) return all(batch, repaired);
  return rows.map((row) => outcomeOfRow(row, row && notes.get(row.familyId)));
}

const all = (batch: readonly unknown[], outcome: Outcome): Outcome[] => batch.map(() => outcome);
const repaired = { status: 'throttled', reason: 'The spreadsheet is being repaired.', afterMs: 5_000 } as const;

const wasClosed = async ({ context }: Workbook, before: Closing): Promise<boolean> => (await readClosing(context.ledger)).count !== before.count;

const rowsPerTurn = 50;

/** Others on the event loop get their turn in between. Undefined where an event cannot be read. */
async function eventRows(batch: readonly DeliveryRequest[]): Promise<(EventRow | undefined)[]> {
  const rows: (EventRow | undefined)[] = [];
  for (const [index, { event }] of batch.entries()) {
    if (index > 0 && index % rowsPerTurn === 0) await nextTurn();
    rows.push(readable(event));
  }
  return rows;
}

function readable(event: DeliveryRequest['event']): EventRow | undefined {
  try {
    return eventRow(event);
  } catch {
    return undefined;
  }
}

type Notes = Map<string, RowNote>;

async function writeFamilies(workbook: Workbook, { newest, parts }: { newest: ReadonlyMap<string, EventRow>; parts: readonly Part[] }): Promise<Notes> {
  const { ledger } = workbook.context;
  const known = await ledger.read([...newest.keys()]);
  const notes: Notes = new Map();
  const current = [...newest.values()].filter((row) => row.rank >= knownRank(known.get(row.familyId)));
  for (const { familyId } of newest.values()) notes.set(familyId, { status: 'outdated' });
  const disputed = await noteRanks(ledger, current, known);
  for (const familyId of disputed) notes.set(familyId, { status: 'disputed' });
  const settled = current.filter(({ familyId }) => !disputed.has(familyId));
  for (const { familyId } of settled) notes.set(familyId, { status: 'rowless' });
  const written = await writeSettled(workbook, { rows: settled, known, parts });
  for (const [{ familyId }, outcome] of written) notes.set(familyId, { status: 'tried', outcome });
  return notes;
}

interface Settled {
  rows: readonly EventRow[];
  known: ReadonlyMap<string, LedgerEntry>;
  parts: readonly Part[];
}

async function writeSettled(workbook: Workbook, { rows, known, parts }: Settled): Promise<Map<EventRow, RowOutcome>> {
  const places = await placesFor(workbook, { rows, known });
  const placed = rows.filter(({ familyId }) => places.has(familyId));
  try {
    const form = await workbook.context.form(Math.max(1, ...placed.map(({ formVersion }) => formVersion)));
    const all = await withRoom(workbook, { parts, form, positions: places.values() });
    return await writeByPart(workbook, { placed, places, parts: all, form });
  } catch (error) {
    if (!(error instanceof GoogleTrouble)) throw error;
    return new Map(placed.map((row) => [row, { status: 'trouble', trouble: error.trouble }]));
  }
}

/** Each response's place, for ever its own. What was erased before it had a row needs none. */
async function placesFor({ context }: Workbook, { rows, known }: Pick<Settled, 'rows' | 'known'>): Promise<Map<string, number>> {
  const lasting = rows.filter(({ rank }) => rank !== erasedRank).map(({ familyId }) => familyId);
  const places = lasting.length === 0 ? new Map<string, number>() : new Map(await context.ledger.reserve(lasting));
  for (const { familyId, rank } of rows) {
    const place = known.get(familyId)?.place;
    if (rank === erasedRank && typeof place === 'number') places.set(familyId, place);
  }
  return places;
}

interface Placed {
  placed: readonly EventRow[];
  places: ReadonlyMap<string, number>;
  parts: readonly Part[];
  form: FormShape | undefined;
}

async function writeByPart(workbook: Workbook, { placed, places, parts, form }: Placed): Promise<Map<EventRow, RowOutcome>> {
  const outcomes = new Map<EventRow, RowOutcome>();
  const wanted = form && columnsOf(form.questions);
  for (const [spreadsheetId, rows] of groupByPart(placed, places, parts)) {
    await assertOutOfBin(workbook, spreadsheetId);
    const written = await writePart(workbook, { spreadsheetId, wanted, rows: [...rows.keys()] });
    for (const [placedRow, row] of rows) outcomes.set(row, written.get(placedRow) ?? notReached);
  }
  return outcomes;
}

const notReached: RowOutcome = { status: 'trouble', trouble: { status: 'retry', error: 'PROVIDER_FAULT', reason: 'An internal error.' } };

function groupByPart(placed: readonly EventRow[], places: ReadonlyMap<string, number>, parts: readonly Part[]): Map<string, Map<PlacedRow, EventRow>> {
  const groups = new Map<string, Map<PlacedRow, EventRow>>();
  for (const row of placed) {
    const at = rowOf(parts, places.get(row.familyId) ?? -1);
    if (!at) throw new Error(`no part has the place of ${row.familyId}`);
    const group = groups.get(at.part.spreadsheetId) ?? new Map<PlacedRow, EventRow>();
    groups.set(at.part.spreadsheetId, group.set({ rowIndex: at.rowIndex, row: row.row }, row));
  }
  return groups;
}
