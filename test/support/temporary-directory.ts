import { chmodSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { identityOf } from '../../src/embedded/running-process.ts';

const prefix = 'formwire-test-';

/** A new directory that is deleted with its scope. Also other users may enter it: as root, PostgreSQL may run as one. */
export function createTemporaryDirectory(): { path: string } & Disposable {
  const directory = mkdtempSync(path.join(tmpdir(), `${prefix}${process.pid}-`));
  chmodSync(directory, 0o755);
  return { path: directory, [Symbol.dispose]: () => remove(directory) };
}

/** Deletes what interrupted runs left behind: the directories of processes that are gone. */
export function removeAbandonedDirectories(): void {
  for (const name of readdirSync(tmpdir())) {
    const owner = new RegExp(`^${prefix}(\\d+)-`).exec(name)?.[1];
    if (owner === undefined || identityOf(Number(owner))) continue;
    try {
      remove(path.join(tmpdir(), name));
    } catch {
      // Another user's.
    }
  }
}

function remove(directory: string): void {
  rmSync(directory, { recursive: true, force: true, maxRetries: 3 });
}
