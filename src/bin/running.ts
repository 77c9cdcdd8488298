import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import type { Config } from '../config.ts';
import { identityOf, isRunning } from '../embedded/running-process.ts';
import { keptFilePath } from './kept-file.ts';

const fileName = 'running.json';

const running = z.object({
  pid: z.number(),
  startedAt: z.string(),
  databaseUrl: z.string(),
  natsUrl: z.string(),
  /** Where the API listens; absent in a process without it. */
  apiUrl: z.string().optional(),
});

/** What a Formwire with embedded servers tells the commands on its machine: the ports change with every start. */
export type Running = z.output<typeof running>;

/**
 * Writes down where everything of this process is, readable by its owner alone, for the password of the database is in
 * it. Gone again with the disposal; one that a killed process left behind names a process that is not there.
 */
export function noteRunning(config: Pick<Config, 'FORMWIRE_DATA'>, places: Omit<Running, 'pid' | 'startedAt'>): Disposable {
  const file = keptFilePath(config, fileName);
  const startedAt = identityOf(process.pid)?.startedAt ?? '';
  const draft = `${file}.${process.pid}`;
  writeFileSync(draft, `${JSON.stringify({ pid: process.pid, startedAt, ...places })}\n`, { mode: 0o600 });
  renameSync(draft, file); // nobody reads half of it
  return { [Symbol.dispose]: () => rmSync(file, { force: true }) };
}

/** The Formwire that runs on this data directory, if one does. */
export function findRunning(config: Pick<Config, 'FORMWIRE_DATA'>): Running | undefined {
  try {
    const found = running.parse(JSON.parse(readFileSync(keptFilePath(config, fileName), 'utf8')));
    return isRunning(found) ? found : undefined;
  } catch {
    return undefined; // none, or of another version: as good as none
  }
}
