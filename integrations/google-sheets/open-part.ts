import type { FormShape } from '../provider.ts';
import { columnsOf, type Column } from './column.ts';
import { binFile, createFile, findFiles } from './drive-files.ts';
import { maxParts, noteParts, readParts } from './parts-ledger.ts';
import type { Part } from './parts.ts';
import { planHeader, planNewSheet } from './plan-header.ts';
import { look, sendBatch, sheetId, type Sight } from './sight.ts';
import { GoogleTrouble, isRefusal } from './trouble.ts';
import type { Workbook } from './workbook.ts';

/** What the parts of a sheet are called. */
export const titleOf = ({ context }: Workbook, form: FormShape, number: number): string =>
  `${context.settings.title ?? form.title}${number === 0 ? '' : ` (${number + 1})`}`;

/**
 * Makes the next spreadsheet of a sheet, or goes on with one that was made before a crash, and notes it in the ledger when
 * it can take rows. Where two processes are at it, the ledger decides, and the other's file goes to the bin. Answers the
 * parts as they are noted then.
 */
export async function openPart(workbook: Workbook, next: { parts: readonly Part[]; firstPosition: number; form: FormShape }): Promise<readonly Part[]> {
  const { parts, firstPosition, form } = next;
  const { google, context } = workbook;
  const number = parts.length;
  if (number >= maxParts) throw new GoogleTrouble({ status: 'blocked', reason: `A sheet goes on over ${maxParts} spreadsheets at most, and these are full.` });
  const spreadsheetId = (await fileOf(workbook, number)) ?? (await createFile(google, { integrationId: context.integrationId, number, title: titleOf(workbook, form, number), folderId: context.settings.folderId }));
  await layOut(workbook, spreadsheetId, columnsOf(form.questions));
  if (await noteParts(context.ledger, parts, { spreadsheetId, firstPosition })) return [...parts, { spreadsheetId, firstPosition }];
  const noted = await readParts(context.ledger);
  if (!noted.some((part) => part.spreadsheetId === spreadsheetId)) await binFile(google, spreadsheetId);
  return noted;
}

async function fileOf({ google, context }: Workbook, number: number): Promise<string | undefined> {
  return (await findFiles(google, context.integrationId)).find((file) => file.number === number)?.id;
}

const rowCount = 1_000;

/** A file that has none of our columns yet gets them; one that was laid out before a crash stays as it is. */
async function layOut({ google, context, memory }: Workbook, spreadsheetId: string, columns: readonly Column[]): Promise<void> {
  const { header } = await look(google, spreadsheetId, context.now());
  if (header.columns.length === 0) await sendBatch(google, spreadsheetId, planNewSheet({ sheetId, title: 'Responses', rowCount }, columns));
  memory.forget(spreadsheetId);
}

/** Brings a spreadsheet's header to the columns that are wanted; answers how it is then. */
export async function bringHeader({ google, context, memory }: Workbook, at: { spreadsheetId: string; sight: Sight; wanted: readonly Column[] }): Promise<Sight> {
  const { spreadsheetId, wanted } = at;
  const { removedQuestions } = context.settings;
  if (planHeader(at.sight.header, wanted, removedQuestions).length === 0) return at.sight;
  memory.forget(spreadsheetId);
  const { header } = await look(google, spreadsheetId, context.now());
  const requests = planHeader(header, wanted, removedQuestions);
  if (requests.length > 0) await sendBatch(google, spreadsheetId, requests).catch(notTheRows);
  const sight = await look(google, spreadsheetId, context.now());
  memory.keepSight(spreadsheetId, sight);
  return sight;
}

/** What is refused of a header says nothing of the rows that wait for it: another process was at it, or a user. */
function notTheRows(error: unknown): never {
  throw isRefusal(error) ? new GoogleTrouble({ status: 'retry', error: 'REFUSED', reason: `The columns could not be brought up to date. ${error.trouble.reason}` }) : error;
}
