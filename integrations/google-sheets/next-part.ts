import type { FormShape } from '../provider.ts';
import { keepFile } from './keep-file.ts';
import { openPart } from './open-part.ts';
import { positionOf, rowOf, shouldBeginPart, type Part } from './parts.ts';
import { placesOf } from './plan-header.ts';
import { readRows } from './read-rows.ts';
import type { Sight } from './sight.ts';
import { GoogleTrouble } from './trouble.ts';
import { readBySight, sightOf, type Workbook } from './workbook.ts';

/**
 * The parts, with one more where the last one has no room for one of these positions. Until that is there, nothing that
 * belongs into it is written: it would fill what is left in the last one, and be stuck there in the end.
 */
export async function withRoom(workbook: Workbook, room: { parts: readonly Part[]; form: FormShape | undefined; positions: Iterable<number> }): Promise<readonly Part[]> {
  const { parts, form, positions } = room;
  const last = parts.at(-1);
  const ofLast = [...positions].filter((position) => last && position >= last.firstPosition);
  if (!form || !last || ofLast.length === 0) return parts;
  const { columnCount } = await sightOf(workbook, last.spreadsheetId);
  const above = ofLast.filter((position) => shouldBeginPart(parts, { nextPosition: position, columnCount }));
  if (above.length === 0) return parts;
  const firstPosition = await firstUnwritten(workbook, { part: last, from: Math.min(...above) });
  const opened = await openPart(workbook, { parts, firstPosition, form });
  const part = opened.at(-1);
  // Whom it is shared with is made good by the next `connect`, where it fails here: rows do not wait for that.
  if (part) await keepFile(workbook, { spreadsheetId: part.spreadsheetId, number: opened.length - 1, form }).catch(unlessTrouble);
  return opened;
}

/** The first position, of those from one on, behind all rows that are written: these stay where they are. */
function firstUnwritten(workbook: Workbook, { part, from }: { part: Part; from: number }): Promise<number> {
  return readBySight(workbook, part.spreadsheetId, (sight) => firstUnwrittenIn(workbook, { part, from, sight }));
}

async function firstUnwrittenIn(workbook: Workbook, { part, from, sight }: { part: Part; from: number; sight: Sight }): Promise<number> {
  const { header, rowCount } = sight;
  const start = rowOf([part], from)?.rowIndex ?? rowCount;
  const column = placesOf(header).get('response');
  if (column === undefined || start >= rowCount) return from;
  const found = await readRows(workbook.google, { spreadsheetId: part.spreadsheetId, spans: [{ start, end: rowCount }], columns: { start: column, end: column + 1 } });
  const written = [...found].filter(([, [id]]) => id !== undefined && id !== '').map(([rowIndex]) => rowIndex);
  return written.length === 0 ? from : (positionOf(part, Math.max(...written)) ?? from) + 1;
}

function unlessTrouble(error: unknown): void {
  if (!(error instanceof GoogleTrouble)) throw error;
}
