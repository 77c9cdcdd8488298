import { z } from 'zod';
import type { Google } from './google.ts';

/** A spreadsheet of ours as Drive has it, not in the bin. */
export interface FoundFile {
  id: string;
  /** Which part of the sheet it was made as, from 0. */
  number: number;
}

const spreadsheetType = 'application/vnd.google-apps.spreadsheet';
/** Only applications of the same Google Cloud project see these. Source: Drive API, "Add custom file properties". */
const property = { integration: 'formwireIntegration', part: 'formwirePart' } as const;
const everywhere = { supportsAllDrives: true } as const;

const fileList = z.object({ files: z.array(z.object({ id: z.string(), appProperties: z.record(z.string(), z.string()).default({}) })).default([]) });
const made = z.object({ id: z.string() });
const described = z.object({ name: z.string(), trashed: z.boolean() });
const nothing = z.unknown();

/** The files made for an integration, the oldest first. One that was made just now may still be missing. */
export async function findFiles(google: Google, integrationId: string): Promise<FoundFile[]> {
  const q = `appProperties has { key='${property.integration}' and value='${integrationId}' } and trashed=false`;
  const { files } = await google.ask(fileList, ({ drive, options }) =>
    drive.files.list({ ...everywhere, q, includeItemsFromAllDrives: true, orderBy: 'createdTime', pageSize: 1_000, fields: 'files(id,appProperties)' }, options),
  );
  return files.map(({ id, appProperties }) => ({ id, number: Number(appProperties[property.part] ?? 0) }));
}

/** Makes a file each time it is called: Drive knows no way to ask for one file twice. */
export async function createFile(google: Google, file: { integrationId: string; number: number; title: string; folderId: string | undefined }): Promise<string> {
  const { integrationId, number, title, folderId } = file;
  const requestBody = {
    name: title,
    mimeType: spreadsheetType,
    appProperties: { [property.integration]: integrationId, [property.part]: String(number) },
    ...(folderId === undefined ? {} : { parents: [folderId] }),
  };
  const { id } = await google.ask(made, ({ drive, options }) => drive.files.create({ ...everywhere, requestBody, fields: 'id' }, options));
  return id;
}

export const describeFile = (google: Google, fileId: string): Promise<z.output<typeof described>> =>
  google.ask(described, ({ drive, options }) => drive.files.get({ ...everywhere, fileId, fields: 'name,trashed' }, options));

export async function renameFile(google: Google, fileId: string, name: string): Promise<void> {
  await google.ask(nothing, ({ drive, options }) => drive.files.update({ ...everywhere, fileId, requestBody: { name }, fields: 'id' }, options));
}

export async function binFile(google: Google, fileId: string): Promise<void> {
  await google.ask(nothing, ({ drive, options }) => drive.files.update({ ...everywhere, fileId, requestBody: { trashed: true }, fields: 'id' }, options));
}

const permissionList = z.object({ permissions: z.array(z.object({ id: z.string(), emailAddress: z.string().optional() })).default([]) });

/**
 * Lets somebody write, unless they may see the file already. Google sends them a mail with the address of the file, once;
 * that is also what reaches an address without a Google account. Answers the id of the permission that was made.
 */
export async function shareFile(google: Google, fileId: string, emailAddress: string): Promise<string | null> {
  const { permissions } = await google.ask(permissionList, ({ drive, options }) =>
    drive.permissions.list({ ...everywhere, fileId, pageSize: 100, fields: 'permissions(id,emailAddress)' }, options),
  );
  if (permissions.some((one) => one.emailAddress?.toLowerCase() === emailAddress.toLowerCase())) return null;
  const requestBody = { type: 'user', role: 'writer', emailAddress };
  const { id } = await google.ask(made, ({ drive, options }) => drive.permissions.create({ ...everywhere, fileId, requestBody, sendNotificationEmail: true, fields: 'id' }, options));
  return id;
}

export async function unshareFile(google: Google, fileId: string, permissionId: string): Promise<void> {
  await google.ask(nothing, ({ drive, options }) => drive.permissions.delete({ ...everywhere, fileId, permissionId }, options));
}
