import { spawnSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { endingWithParent } from './child-process.ts';
import type { PostgresBinaries } from './postgres-binaries.ts';
import { asServerUser, giveTo, giveTreeTo, serverUserFor, spawnIdentity, type ServerUser } from './server-user.ts';
import { systemEnv } from './system-env.ts';

/** A PostgreSQL data directory, ready to be served. */
export interface PostgresCluster {
  dir: string;
  user: ServerUser;
  superuser: string;
  password: string;
}

const superuser = 'formwire';

/**
 * Opens the cluster under `dir`, made on the first call. The superuser's password is made with it and kept beside it in
 * a file that only its owner reads. Throws a sentence for people when the cluster cannot be used.
 */
export function openCluster(options: { dir: string; binaries: PostgresBinaries; ephemeral: boolean }): PostgresCluster {
  const { binaries, ephemeral } = options;
  const dir = path.join(options.dir, 'cluster');
  const passwordFile = path.join(options.dir, 'password');
  if (!existsSync(dir)) createCluster({ dir, passwordFile, binaries, ephemeral });
  refuseOtherVersion(dir, binaries);
  const user = serverUserFor(dir);
  giveTreeTo(user, dir);
  return { dir, user, superuser, password: readPassword(passwordFile) };
}

/**
 * Made under a name of its own and renamed when complete, so that a kill in between leaves nothing that looks usable. What
 * such a one left may be written to for a moment yet.
 */
function createCluster(options: { dir: string; passwordFile: string; binaries: PostgresBinaries; ephemeral: boolean }): void {
  const { dir: parent, base } = path.parse(`${options.dir}.unfinished`);
  for (const name of readdirSync(parent)) if (name.startsWith(base)) rmSync(path.join(parent, name), { recursive: true, force: true, maxRetries: 10 });
  const unfinished = mkdtempSync(path.join(parent, `${base}-`));
  const user = serverUserFor(unfinished);
  writeFileSync(options.passwordFile, `${options.ephemeral ? superuser : randomBytes(24).toString('base64url')}\n`, { mode: 0o600 });
  for (const file of [unfinished, options.passwordFile]) giveTo(user, file);
  initialise({ ...options, dir: unfinished, user });
  renameSync(unfinished, options.dir);
}

function initialise(options: { dir: string; passwordFile: string; user: ServerUser; binaries: PostgresBinaries; ephemeral: boolean }): void {
  const [command = '', ...args] = asServerUser(options.user, endingWithParent('SIGKILL', [
    options.binaries.initdb,
    `--pgdata=${options.dir}`,
    `--username=${superuser}`,
    `--pwfile=${options.passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    // The same order of text on every machine, whatever its C library.
    '--locale=C',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    ...(options.ephemeral ? ['--no-sync'] : []),
  ]));
  const made = spawnSync(command, args, { encoding: 'utf8', env: systemEnv, ...spawnIdentity(options.user) });
  if (made.status === 0) return;
  const reason = made.error?.message ?? made.stderr.trim();
  const advice = options.user.kind === 'other'
    ? ` It runs as user ${options.user.uid}, because PostgreSQL refuses root: this user must be able to reach ${options.dir} and the project. Or start Formwire as a user other than root.`
    : '';
  throw new Error(`The embedded PostgreSQL cannot create ${options.dir}: ${reason}.${advice}`);
}

function refuseOtherVersion(dir: string, binaries: PostgresBinaries): void {
  const version = readReachable(path.join(dir, 'PG_VERSION')).trim();
  if (version === binaries.majorVersion) return;
  throw new Error(
    `${dir} was made by PostgreSQL ${version}, and the embedded one is ${binaries.majorVersion}. `
    + 'Dump it with its own version and load it into a new data directory, or set DATABASE_URL to a server of its version.',
  );
}

function readPassword(file: string): string {
  if (existsSync(file)) return readReachable(file).trim();
  throw new Error(`${file} is missing: it holds the password of the PostgreSQL cluster beside it. Restore it from a backup.`);
}

function readReachable(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw new Error(`${file} cannot be read: start Formwire as the user who owns it, or choose another data directory.`, { cause });
  }
}
