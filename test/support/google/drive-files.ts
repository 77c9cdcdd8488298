import { randomBytes } from 'node:crypto';
import type { Clock } from '../simulators/clock.ts';
import type { Account } from './accounts.ts';
import type { ApiCall } from './api-call.ts';

export type Role = 'reader' | 'commenter' | 'writer' | 'fileOrganizer' | 'organizer' | 'owner';

const ranks: Role[] = ['reader', 'commenter', 'writer', 'fileOrganizer', 'organizer', 'owner'];

export const isRole = (text: unknown): text is Role => ranks.includes(text as Role);

export interface Permission {
  id: string;
  type: 'user' | 'group' | 'domain' | 'anyone';
  role: Role;
  emailAddress?: string;
}

export interface DriveFile {
  id: string;
  name: string;
  mimeType: string;
  parents: string[];
  trashed: boolean;
  /** By project: an application sees its own only. */
  appProperties: Map<string, Record<string, string>>;
  createdTime: Date;
  modifiedTime: Date;
  permissions: Permission[];
  /** Of the shared drive it is in; such a file has no owner. */
  driveId?: string;
  owner?: string;
  /** Whose application made it. */
  project: string;
  /** From when on lists find it. */
  listedFrom: Date;
}

export interface SharedDrive {
  id: string;
  name: string;
  members: Map<string, Role>;
}

export interface DriveFiles {
  files: Map<string, DriveFile>;
  drives: Map<string, SharedDrive>;
  create(details: Pick<DriveFile, 'name' | 'mimeType' | 'parents'> & { driveId?: string; by: Account }): DriveFile;
  /** What an account may do with a file; undefined where it does not even know of it. */
  roleOf(file: DriveFile, email: string): Role | undefined;
  /** The same for what the caller's token lets it see. */
  roleIn(call: Pick<ApiCall, 'account' | 'isOwnFilesOnly'>, file: DriveFile): Role | undefined;
}

export const spreadsheetType = 'application/vnd.google-apps.spreadsheet';
export const folderType = 'application/vnd.google-apps.folder';

export const isAtLeast = (role: Role | undefined, least: Role): boolean => role !== undefined && ranks.indexOf(role) >= ranks.indexOf(least);

export const newFileId = (): string => `1${randomBytes(32).toString('base64url')}`.slice(0, 44);

/** The files themselves, and who may do what with them. `listDelayMs`: how long a new file stays out of lists. */
export function createDriveFiles({ clock, listDelayMs }: { clock: Clock; listDelayMs: number }): DriveFiles {
  const files = new Map<string, DriveFile>();
  const drives = new Map<string, SharedDrive>();
  const self: DriveFiles = {
    files,
    drives,
    create({ by, driveId, ...details }) {
      const now = clock.now();
      const owned = driveId === undefined;
      const file: DriveFile = {
        ...details,
        id: newFileId(),
        project: by.project,
        trashed: false,
        appProperties: new Map(),
        createdTime: now,
        modifiedTime: now,
        permissions: owned ? [{ id: permissionIdOf(by.email), type: 'user', role: 'owner', emailAddress: by.email }] : [],
        listedFrom: new Date(now.getTime() + listDelayMs),
        ...(owned ? { owner: by.email } : { driveId }),
      };
      files.set(file.id, file);
      return file;
    },
    roleOf(file, email) {
      const granted = file.permissions.filter((permission) => permission.type === 'anyone' || permission.emailAddress === email).map(({ role }) => role);
      const member = file.driveId === undefined ? undefined : drives.get(file.driveId)?.members.get(email);
      return [...granted, ...(member ? [member] : [])].sort((left, right) => ranks.indexOf(right) - ranks.indexOf(left))[0];
    },
    roleIn: ({ account, isOwnFilesOnly }, file) => (isOwnFilesOnly && file.project !== account.project ? undefined : self.roleOf(file, account.email)),
  };
  return self;
}

/** The same for the same person everywhere, so that sharing twice changes one permission. */
export function permissionIdOf(email: string): string {
  let hash = 7n;
  for (const character of email) hash = (hash * 31n + BigInt(character.codePointAt(0) ?? 0)) % 10n ** 20n;
  return hash.toString().padStart(20, '0');
}
