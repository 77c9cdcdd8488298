import { z } from 'zod';
import type { Clock } from '../simulators/clock.ts';
import type { Reply } from '../simulators/server.ts';
import { maskOf, type ApiCall } from './api-call.ts';
import { folderType, isAtLeast, permissionIdOf, spreadsheetType, type DriveFile, type DriveFiles } from './drive-files.ts';
import { createPermissions } from './drive-permissions.ts';
import { parseDriveQuery } from './drive-query.ts';
import { googleErrors } from './errors.ts';
import { select } from './field-mask.ts';

export interface DriveDeps {
  files: DriveFiles;
  clock: Clock;
  onCreated(file: DriveFile): void;
  onRenamed(file: DriveFile): void;
  onDeleted(file: DriveFile): void;
}

const fileChange = z.object({
  name: z.string().optional(),
  mimeType: z.string().optional(),
  parents: z.array(z.string()).optional(),
  trashed: z.boolean().optional(),
  appProperties: z.record(z.string(), z.string().nullable()).optional(),
  id: z.string().optional(),
});
type FileChange = z.infer<typeof fileChange>;

/** Drive v3 as far as a provider of spreadsheets needs it. There is no idempotency: each create makes a file. */
export function createDrive(deps: DriveDeps): (call: ApiCall) => Reply {
  const permissions = createPermissions(deps.files);
  return (call) => {
    const [root, fileId, below, permissionId] = call.path.split('/');
    if (root !== 'files') throw googleErrors.notFound();
    if (fileId === undefined) return call.method === 'POST' ? create(deps, call) : list(deps, call);
    const file = knownFile(deps.files, { fileId, call });
    if (below === 'permissions') return permissions({ call, file, permissionId });
    if (call.method === 'GET') return replyWith(file, call);
    if (call.method === 'PATCH') return update(deps, { call, file });
    if (call.method === 'DELETE') return remove(deps, { call, file });
    throw googleErrors.notFound();
  };
}

/** The file where the caller knows of it; what is in a shared drive shows only to those who say they support that. */
function knownFile({ files, roleIn }: DriveFiles, { fileId, call }: { fileId: string; call: ApiCall }): DriveFile {
  const file = files.get(fileId);
  if (file === undefined || roleIn(call, file) === undefined) throw googleErrors.fileNotFound(fileId);
  if (file.driveId !== undefined && call.query.get('supportsAllDrives') !== 'true') throw googleErrors.fileNotFound(fileId);
  return file;
}

function create(deps: DriveDeps, call: ApiCall): Reply {
  const change = parseChange(call.body);
  if (change.id !== undefined) throw googleErrors.invalidArgument('Generated IDs are not supported for Docs Editors formats.');
  const { parents, driveId } = placeOf(deps.files, { change, call });
  if (driveId === undefined && call.account.kind === 'serviceAccount' && change.mimeType !== folderType) throw googleErrors.storageQuotaExceeded();
  const { name = 'Untitled', mimeType = 'application/octet-stream' } = change;
  checkAppProperties(change.appProperties);
  const file = deps.files.create({ name, mimeType, parents, by: call.account, ...(driveId !== undefined && { driveId }) });
  changeAppProperties(file, { project: call.account.project, change });
  deps.onCreated(file);
  return replyWith(file, call);
}

function placeOf({ files, drives, roleIn }: DriveFiles, { change, call }: { change: FileChange; call: ApiCall }) {
  const [parent, ...more] = change.parents ?? ['root'];
  if (parent === undefined || more.length > 0) throw googleErrors.invalidArgument('A file must have exactly one parent.');
  if (parent === 'root') return { parents: [`root-of-${call.account.email}`] };
  const { email } = call.account;
  const drive = drives.get(parent);
  const folder = files.get(parent);
  const role = drive?.members.get(email) ?? (folder && roleIn(call, folder));
  const driveId = drive?.id ?? folder?.driveId;
  const isHidden = driveId !== undefined && call.query.get('supportsAllDrives') !== 'true';
  if (role === undefined || isHidden) throw googleErrors.fileNotFound(parent);
  if (!isAtLeast(role, 'writer')) throw googleErrors.insufficientFilePermissions();
  return { parents: [parent], driveId };
}

function list({ files, clock }: DriveDeps, call: ApiCall): Reply {
  const { query, account } = call;
  const matches = query.get('q') === null ? () => true : parseDriveQuery(query.get('q') ?? '');
  const isAll = query.get('includeItemsFromAllDrives') === 'true';
  if (isAll && query.get('supportsAllDrives') !== 'true') throw googleErrors.forbidden();
  const pageSize = Number(query.get('pageSize') ?? 100);
  if (!(pageSize >= 1 && pageSize <= 1000)) throw googleErrors.invalidValue('pageSize');
  const found = [...files.files.values()]
    .filter((file) => files.roleIn(call, file) !== undefined && (isAll || file.driveId === undefined))
    .filter((file) => query.get('driveId') === null || file.driveId === query.get('driveId'))
    .filter((file) => file.listedFrom <= clock.now() && matches(file, account.project))
    .sort((left, right) => right.modifiedTime.getTime() - left.modifiedTime.getTime());
  const start = Number(query.get('pageToken') ?? 0);
  const next = start + pageSize < found.length ? { nextPageToken: String(start + pageSize) } : {};
  const page = found.slice(start, start + pageSize).map((file) => resourceOf(file, account.project));
  const mask = maskOf(call, 'kind,incompleteSearch,nextPageToken,files(kind,id,name,mimeType)');
  return { status: 200, body: select({ kind: 'drive#fileList', incompleteSearch: false, ...next, files: page }, mask) };
}

/** Only owners bin their files; in a shared drive it takes a content manager, which Google calls fileOrganizer. */
function update({ files, clock, onRenamed }: DriveDeps, { call, file }: { call: ApiCall; file: DriveFile }): Reply {
  const change = parseChange(call.body);
  const role = files.roleOf(file, call.account.email);
  const least = change.trashed === undefined ? 'writer' : file.driveId === undefined ? 'owner' : 'fileOrganizer';
  if (!isAtLeast(role, least)) throw googleErrors.insufficientFilePermissions();
  if (change.parents !== undefined) throw googleErrors.invalidArgument('The parents field is not directly writable in update requests. Use the addParents and removeParents parameters instead.');
  checkAppProperties(change.appProperties);
  changeAppProperties(file, { project: call.account.project, change });
  if (change.name !== undefined) file.name = change.name;
  onRenamed(file);
  if (change.trashed !== undefined) file.trashed = change.trashed;
  file.modifiedTime = clock.now();
  return replyWith(file, call);
}

function remove({ files, onDeleted }: DriveDeps, { call, file }: { call: ApiCall; file: DriveFile }): Reply {
  const least = file.driveId === undefined ? 'owner' : 'organizer';
  if (!isAtLeast(files.roleOf(file, call.account.email), least)) throw googleErrors.insufficientFilePermissions();
  files.files.delete(file.id);
  onDeleted(file);
  return { status: 204 };
}

const maxAppProperties = 30;
const maxAppPropertyBytes = 124;

/** Source: Drive API "Add custom file properties", limits. */
function checkAppProperties(properties: FileChange['appProperties'] = {}): void {
  const tooLong = Object.entries(properties).find(([key, value]) => Buffer.byteLength(key + (value ?? '')) > maxAppPropertyBytes);
  if (tooLong) throw googleErrors.invalidArgument(`The property ${tooLong[0]} is longer than ${maxAppPropertyBytes} bytes.`);
  if (Object.keys(properties).length > maxAppProperties) throw googleErrors.invalidArgument(`More than ${maxAppProperties} private properties.`);
}

function changeAppProperties(file: DriveFile, { project, change }: { project: string; change: FileChange }): void {
  const merged = { ...file.appProperties.get(project), ...change.appProperties };
  const kept = Object.entries(merged).filter((entry): entry is [string, string] => entry[1] !== null);
  file.appProperties.set(project, Object.fromEntries(kept));
}

function replyWith(file: DriveFile, call: ApiCall): Reply {
  const mask = maskOf(call, file.driveId === undefined ? 'kind,id,name,mimeType' : 'kind,id,name,mimeType,driveId,teamDriveId');
  return { status: 200, body: select(resourceOf(file, call.account.project), mask) };
}

function resourceOf(file: DriveFile, project: string): Record<string, unknown> {
  const { id, name, mimeType, parents, trashed, driveId, owner } = file;
  const link = mimeType === spreadsheetType ? { webViewLink: `https://docs.google.com/spreadsheets/d/${id}/edit?usp=drivesdk` } : {};
  return {
    kind: 'drive#file',
    id,
    name,
    mimeType,
    parents,
    trashed,
    explicitlyTrashed: trashed,
    appProperties: file.appProperties.get(project) ?? {},
    createdTime: file.createdTime.toISOString(),
    modifiedTime: file.modifiedTime.toISOString(),
    permissions: file.permissions.map((permission) => ({ kind: 'drive#permission', ...permission })),
    ...link,
    ...(driveId !== undefined && { driveId, teamDriveId: driveId }),
    ...(owner !== undefined && { owners: [{ kind: 'drive#user', emailAddress: owner, permissionId: permissionIdOf(owner) }] }),
  };
}

function parseChange(body: unknown): FileChange {
  const parsed = fileChange.safeParse(body ?? {});
  if (!parsed.success) throw googleErrors.invalidArgument(`Invalid value for: ${parsed.error.issues[0]?.path.join('.')}`);
  return parsed.data;
}
