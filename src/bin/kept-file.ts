import { existsSync, linkSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import type { Config } from '../config.ts';
import { unwritable } from '../embedded/unwritable.ts';

/** Where a file of the data directory is. */
export const keptFilePath = (config: Pick<Config, 'FORMWIRE_DATA'>, name: string): string => path.resolve(config.FORMWIRE_DATA, name);

/** Whether it was made already. */
export const keptFileIsThere = (config: Pick<Config, 'FORMWIRE_DATA'>, name: string): boolean => existsSync(keptFilePath(config, name));

/**
 * What stands in a file of the data directory, readable by its owner alone; made at the first time, and by the first of
 * several processes. Throws a sentence for people where the directory cannot be written.
 */
export function keptFile(config: Pick<Config, 'FORMWIRE_DATA'>, { name, make }: { name: string; make: () => string }): string {
  const dir = path.resolve(config.FORMWIRE_DATA);
  const file = keptFilePath(config, name);
  try {
    mkdirSync(dir, { recursive: true });
    makeOnce(file, make);
    return readFileSync(file, 'utf8');
  } catch (cause) {
    throw unwritable(dir, { cause, elsewhere: 'set FORMWIRE_DATA to another one' });
  }
}

function makeOnce(file: string, make: () => string): void {
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, make(), { mode: 0o600 });
  try {
    linkSync(draft, file); // fails where there is one: the first one stays
  } catch (error) {
    if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
  } finally {
    rmSync(draft);
  }
}
