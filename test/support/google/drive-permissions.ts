import { z } from 'zod';
import type { Reply } from '../simulators/server.ts';
import { maskOf, type ApiCall } from './api-call.ts';
import { isAtLeast, isRole, permissionIdOf, type DriveFile, type DriveFiles, type Permission } from './drive-files.ts';
import { googleErrors } from './errors.ts';
import { select } from './field-mask.ts';

const newPermission = z.object({
  type: z.enum(['user', 'group', 'domain', 'anyone']),
  role: z.string().refine(isRole),
  emailAddress: z.string().optional(),
});

const defaultFields = 'kind,id,type,role';

/** permissions.create, list, get and delete. Sharing with the same person again changes the permission there is. */
export function createPermissions(files: DriveFiles) {
  return ({ call, file, permissionId }: { call: ApiCall; file: DriveFile; permissionId: string | undefined }): Reply => {
    if (call.method === 'POST') return share(files, { call, file });
    if (permissionId === undefined) return list(file, call);
    const permission = file.permissions.find(({ id }) => id === permissionId);
    if (permission === undefined) throw googleErrors.fileNotFound(permissionId);
    if (call.method === 'GET') return one(permission, call);
    if (call.method !== 'DELETE') throw googleErrors.notFound();
    if (!isAtLeast(files.roleOf(file, call.account.email), 'writer')) throw googleErrors.insufficientFilePermissions();
    file.permissions = file.permissions.filter((other) => other !== permission);
    return { status: 204 };
  };
}

function share(files: DriveFiles, { call, file }: { call: ApiCall; file: DriveFile }): Reply {
  const parsed = newPermission.safeParse(call.body);
  if (!parsed.success) throw googleErrors.invalidArgument('The permission type field is required.');
  const { type, role, emailAddress } = parsed.data;
  if (!isAtLeast(files.roleOf(file, call.account.email), 'writer')) throw googleErrors.insufficientFilePermissions();
  if (role === 'owner') throw googleErrors.forbidden();
  const needsAddress = type === 'user' || type === 'group';
  if (needsAddress && !/^[^@\s]+@[^@\s]+\.[^@\s]+$/.test(emailAddress ?? '')) {
    throw googleErrors.invalidSharing('Bad Request. User message: "The specified emailAddress is invalid or not applicable for the given permission type."');
  }
  const id = emailAddress === undefined ? `${type}WithLink` : permissionIdOf(emailAddress);
  const permission: Permission = { id, type, role, ...(emailAddress !== undefined && { emailAddress }) };
  const already = file.permissions.find((other) => other.id === id);
  if (already?.role === 'owner') return one(already, call);
  file.permissions = [...file.permissions.filter((other) => other !== already), permission];
  return one(permission, call);
}

function list(file: DriveFile, call: ApiCall): Reply {
  const permissions = file.permissions.map(resourceOf);
  return { status: 200, body: select({ kind: 'drive#permissionList', permissions }, maskOf(call, `kind,permissions(${defaultFields})`)) };
}

const one = (permission: Permission, call: ApiCall): Reply => ({ status: 200, body: select(resourceOf(permission), maskOf(call, defaultFields)) });

const resourceOf = (permission: Permission) => ({ kind: 'drive#permission', ...permission });
