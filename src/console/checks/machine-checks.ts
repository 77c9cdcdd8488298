import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import path from 'node:path';
import { doubtful, saidBy, sound, wrong, type Finding } from './finding.ts';

const leastFree = { doubtfulBytes: 5 * 2 ** 30, wrongBytes: 2 ** 30 };

/** The data directory of embedded servers and generated keys. `secretFiles`: those in it that hold keys and passwords. */
export function checkDataDirectory(directory: string, secretFiles: readonly string[]): Finding[] {
  if (!existsSync(directory)) return [doubtful('data directory', `${directory} is not there`, 'A start makes it; if there should be one, set FORMWIRE_DATA.')];
  return [accessFinding(directory), ...openFiles(directory, secretFiles), spaceFinding(directory)];
}

function accessFinding(directory: string): Finding {
  try {
    accessSync(directory, constants.R_OK | constants.W_OK | constants.X_OK);
    return sound('data directory', directory);
  } catch (error) {
    return wrong('data directory', saidBy(error), 'Run as the user who owns it, or set FORMWIRE_DATA to another one.');
  }
}

/** Those that others than their owner may read. */
function openFiles(directory: string, secretFiles: readonly string[]): Finding[] {
  const open = secretFiles.filter((name) => existsSync(path.join(directory, name)) && (statSync(path.join(directory, name)).mode & 0o077) !== 0);
  return open.map((name) => wrong('permissions', `others may read ${name}`, `Run: chmod 600 ${path.join(directory, name)}`));
}

function spaceFinding(directory: string): Finding {
  const { bavail, bsize } = statfsSync(directory);
  const free = bavail * bsize;
  const seen = `${(free / 2 ** 30).toFixed(1)} GiB free`;
  const mend = 'Make room: PostgreSQL stops when the disk is full, and accepts nothing until there is some.';
  if (free < leastFree.wrongBytes) return wrong('disk', seen, mend);
  return free < leastFree.doubtfulBytes ? doubtful('disk', seen, mend) : sound('disk', seen);
}
