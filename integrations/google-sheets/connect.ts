import type { FormShape, Settled } from '../provider.ts';
import { whileClosed } from './closing.ts';
import { columnsOf, type Column } from './column.ts';
import { binFile, findFiles } from './drive-files.ts';
import { keepFile } from './keep-file.ts';
import { bringHeader, openPart } from './open-part.ts';
import { readParts } from './parts-ledger.ts';
import type { Part } from './parts.ts';
import { planHeader } from './plan-header.ts';
import { look } from './sight.ts';
import { GoogleTrouble, unlessGone } from './trouble.ts';
import { assertOutOfBin, type Workbook } from './workbook.ts';

/**
 * Makes the spreadsheet, or finds it again, and brings it to what the form and the settings say now: title, columns, whom
 * it is shared with. Each step is looked up before it is done, so that a crash between any two of them costs nothing.
 */
export async function connect(workbook: Workbook): Promise<Settled<{ resourceUrl?: string }>> {
  const form = await workbook.context.form();
  if (!form) return { status: 'done' };
  const noted = await readParts(workbook.context.ledger);
  const parts = noted.length > 0 ? noted : await openPart(workbook, { parts: noted, firstPosition: 0, form });
  await binDoubles(workbook, parts);
  for (const [number, part] of parts.entries()) await bringPart(workbook, { part, number, form });
  return { status: 'done', resourceUrl: `https://docs.google.com/spreadsheets/d/${parts[0]?.spreadsheetId}/edit` };
}

async function bringPart(workbook: Workbook, { part, number, form }: { part: Part; number: number; form: FormShape }): Promise<void> {
  const { spreadsheetId } = part;
  workbook.memory.forget(spreadsheetId);
  await assertOutOfBin(workbook, spreadsheetId);
  await bringColumns(workbook, { spreadsheetId, wanted: columnsOf(form.questions) });
  await keepFile(workbook, { spreadsheetId, number, form });
}

/** Where columns are deleted, those beside them move, and no rows may be on their way to where these were. */
async function bringColumns(workbook: Workbook, { spreadsheetId, wanted }: { spreadsheetId: string; wanted: readonly Column[] }): Promise<void> {
  const { context, google } = workbook;
  const sight = await look(google, spreadsheetId, context.now());
  if (planHeader(sight.header, wanted, context.settings.removedQuestions).length === 0) return;
  const brought = await whileClosed(context, () => bringHeader(workbook, { spreadsheetId, sight, wanted }));
  if (!brought) throw new GoogleTrouble({ status: 'throttled', reason: 'The spreadsheet is being repaired.', afterMs: 10_000 });
}

/**
 * A second file for a part that is noted was made before a crash, or beside another process. One for a part that is not
 * noted may be another process's that is about to note it.
 */
async function binDoubles({ google, context }: Workbook, parts: readonly Part[]): Promise<void> {
  const files = await findFiles(google, context.integrationId);
  const doubles = files.filter(({ id, number }) => number < parts.length && parts[number]?.spreadsheetId !== id);
  for (const { id } of doubles) await binFile(google, id);
}

/** Moves all files of an integration to the bin, where its owner finds them for thirty days. */
export async function disconnect({ google, context, memory }: Workbook): Promise<Settled> {
  const parts = await readParts(context.ledger);
  const found = await findFiles(google, context.integrationId);
  for (const id of new Set([...parts.map(({ spreadsheetId }) => spreadsheetId), ...found.map(({ id }) => id)])) {
    await binFile(google, id).catch(unlessGone);
    memory.forget(id);
  }
  return { status: 'done' };
}
