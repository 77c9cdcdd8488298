import { z } from 'zod';
import type { FormShape } from '../provider.ts';
import { renameFile, shareFile, unshareFile } from './drive-files.ts';
import { titleOf } from './open-part.ts';
import { GoogleTrouble, isRefusal, unlessGone } from './trouble.ts';
import type { Workbook } from './workbook.ts';

/** What we have done to a file last: what its users change afterwards stays as they like it. */
const fileState = z.object({ title: z.string(), email: z.string(), permissionId: z.string().nullable() });

/**
 * Gives a part's file its title and shares it. Each is done once, and again when the form or the settings say something
 * else; an address that was replaced loses the access it got from us.
 */
export async function keepFile(workbook: Workbook, file: { spreadsheetId: string; number: number; form: FormShape }): Promise<void> {
  const { google, context } = workbook;
  const { spreadsheetId, number, form } = file;
  const key = `file:${spreadsheetId}`;
  const noted = (await context.ledger.read([key])).get(key)?.state ?? null;
  const was = noted === null ? null : fileState.parse(noted);
  const title = titleOf(workbook, form, number);
  const email = context.settings.shareWith ?? form.email;
  if (was?.title === title && was.email === email) return;
  if (was && was.title !== title) await renameFile(google, spreadsheetId, title);
  const permissionId = was?.email === email ? was.permissionId : await share(workbook, { spreadsheetId, email });
  if (was && was.email !== email && was.permissionId !== null) await unshareFile(google, spreadsheetId, was.permissionId).catch(unlessGone);
  await context.ledger.note([{ key, state: { title, email, permissionId }, was }]);
}

async function share({ google }: Workbook, { spreadsheetId, email }: { spreadsheetId: string; email: string }): Promise<string | null> {
  try {
    return await shareFile(google, spreadsheetId, email);
  } catch (error) {
    if (!isRefusal(error)) throw error;
    throw new GoogleTrouble({ status: 'blocked', reason: `The spreadsheet cannot be shared with ${email}: ${error.trouble.reason}` });
  }
}
