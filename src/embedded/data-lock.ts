import { randomUUID } from 'node:crypto';
import { linkSync, mkdirSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { identityOf } from './running-process.ts';
import { unwritable } from './unwritable.ts';

/** Held by the one process that may run a server on a data directory. */
export interface DataLock {
  /** May be called twice. */
  release(): void;
}

/** Another process has the data directory; the message names it. */
export class DataDirectoryBusyError extends Error {
  override name = 'DataDirectoryBusyError';
  readonly pid: number;

  constructor(dir: string, pid: number) {
    super(`A Formwire (process ${pid}) is already running on the data directory ${dir}. Stop it, or choose another directory.`);
    this.pid = pid;
  }
}

/**
 * Takes the lock of a data directory, or throws DataDirectoryBusyError. nats-server does not lock its store, and two
 * servers on one store corrupt it. A lock whose process is gone (killed, machine restarted, pid since reused) is taken over.
 *
 * Removing a stale lock file and creating one's own is a race: a slow starter removes what a quick one has just
 * created. So no file is ever replaced. The lock is the *highest* of the files `lock.1`, `lock.2`, …; who finds its
 * owner gone creates the next number, which only one can. The highest is never deleted, merely emptied on release, so
 * numbers only grow; who created a number and then sees a higher one was too slow, and withdraws.
 */
export function lockDataDirectory(dir: string): DataLock {
  if (!identityOf(process.pid)) throw new Error('The embedded servers need Linux. Set DATABASE_URL and NATS_URL to servers of your own.');
  const claim = writeClaim(dir);
  try {
    for (;;) {
      const highest = highestNumber(dir);
      const owner = livingOwner(lockFile(dir, highest));
      if (owner !== undefined) throw new DataDirectoryBusyError(dir, owner);
      if (tryTake(dir, claim, highest + 1)) return heldLock(dir, highest + 1);
    }
  } finally {
    rmSync(claim, { force: true });
  }
}

/** What the lock will say, complete before anyone can see it as a lock. */
function writeClaim(dir: string): string {
  const claim = path.join(dir, `lock-claim-${randomUUID()}`);
  try {
    mkdirSync(dir, { recursive: true });
    writeFileSync(claim, ownerLine(process.pid), { flag: 'wx' });
  } catch (cause) {
    throw unwritable(dir, { cause, elsewhere: 'choose another one' });
  }
  return claim;
}

/** A link appears with its content or not at all, so nobody reads a half-written lock. */
function tryTake(dir: string, claim: string, number: number): boolean {
  try {
    linkSync(claim, lockFile(dir, number));
  } catch (error) {
    if (isExists(error)) return false;
    throw error;
  }
  if (highestNumber(dir) === number) return true;
  rmSync(lockFile(dir, number), { force: true });
  return false;
}

function heldLock(dir: string, number: number): DataLock {
  for (const older of lockNumbers(dir).filter((other) => other < number)) rmSync(lockFile(dir, older), { force: true });
  let held = true;
  return {
    release() {
      if (held) truncateSync(lockFile(dir, number));
      held = false;
    },
  };
}

/** The pid of the process that holds this lock, if it still runs. An emptied lock was released. */
function livingOwner(file: string): number | undefined {
  const line = readIfThere(file);
  const pid = Number(line.split(' ')[0]);
  return ownerLine(pid) === line ? pid : undefined;
}

/** What a lock file says about the process with this pid. Start times count from the boot, so it names the boot too. */
function ownerLine(pid: number): string {
  const boot = readIfThere('/proc/sys/kernel/random/boot_id').trim();
  return `${pid} ${identityOf(pid)?.startedAt ?? 'gone'} ${boot}\n`;
}

function highestNumber(dir: string): number {
  return Math.max(0, ...lockNumbers(dir));
}

function lockNumbers(dir: string): number[] {
  return readdirSync(dir).map((name) => Number(/^lock\.(\d+)$/.exec(name)?.[1] ?? Number.NaN)).filter(Number.isInteger);
}

function lockFile(dir: string, number: number): string {
  return path.join(dir, `lock.${number}`);
}

/** Empty when the file is not there: a newer owner deletes older locks while we look. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return '';
    throw error;
  }
}

function isExists(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EEXIST';
}
