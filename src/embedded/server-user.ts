import { spawnSync } from 'node:child_process';
import { chownSync, statSync } from 'node:fs';
import { systemEnv } from './system-env.ts';

/**
 * Who a server runs as. PostgreSQL refuses root, so root runs it inside a throw-away user namespace (where it is
 * nobody, while its files stay root's), or as another user where namespaces are forbidden, as in most containers.
 */
export type ServerUser = { kind: 'self' } | { kind: 'namespace' } | { kind: 'other'; uid: number; gid: number };

const nobody = 65_534; // also what the kernel calls an owner that a namespace does not know
const enterNamespace = [`--map-user=${nobody}`, `--map-group=${nobody}`];

/** The user for the server whose files are in `dir`. A directory made for one user stays with it, whoever starts next. */
export function serverUserFor(dir: string): ServerUser {
  if (process.getuid?.() !== 0) return { kind: 'self' };
  const { uid, gid } = statSync(dir);
  if (uid !== 0) return { kind: 'other', uid, gid };
  return canUnshare() ? { kind: 'namespace' } : { kind: 'other', uid: nobody, gid: nobody };
}

/** Puts what makes the command run as `user` in front of it. Only a user of kind `other` also needs `uid` and `gid` at spawn. */
export function asServerUser(user: ServerUser, commandLine: readonly string[]): string[] {
  return user.kind === 'namespace' ? ['unshare', '--user', ...enterNamespace, ...commandLine] : [...commandLine];
}

/** Hands a file or an empty directory over to the server's user. */
export function giveTo(user: ServerUser, file: string): void {
  if (user.kind === 'other') chownSync(file, user.uid, user.gid);
}

/** The same for all that is in a directory: root's own cluster, where namespaces were allowed once and are no more. */
export function giveTreeTo(user: ServerUser, dir: string): void {
  if (user.kind !== 'other' || statSync(dir).uid === user.uid) return;
  const chown = spawnSync('chown', ['-R', `${user.uid}:${user.gid}`, dir], { encoding: 'utf8', env: systemEnv });
  if (chown.status !== 0) throw new Error(`Cannot give ${dir} to user ${user.uid}: ${chown.stderr}`);
}

/** What spawn needs for this user. */
export function spawnIdentity(user: ServerUser): { uid?: number; gid?: number } {
  return user.kind === 'other' ? { uid: user.uid, gid: user.gid } : {};
}

function canUnshare(): boolean {
  return spawnSync('unshare', ['--user', ...enterNamespace, 'true'], { env: systemEnv }).status === 0;
}
