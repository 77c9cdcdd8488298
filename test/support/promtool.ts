import { spawnSync } from 'node:child_process';
import { fetchDebianProgram, fetchedPath } from '../../src/embedded/fetch-debian-program.ts';

/** The package of release 13 has it no more. */
const program = { packageName: 'prometheus', suite: 'bookworm', inPackage: 'usr/bin/promtool' } as const;

const runs = (binary: string): boolean => spawnSync(binary, ['--version'], { timeout: 10_000 }).status === 0;

/** Prometheus' own checker: the one on the PATH, one fetched before, or fetched now from the distribution. Or why there is none. */
export async function findPromtool(): Promise<{ binary: string } | { reason: string }> {
  const here = ['promtool', fetchedPath(program)].find(runs);
  if (here) return { binary: here };
  try {
    const binary = await fetchDebianProgram(program);
    return runs(binary) ? { binary } : { reason: 'the one that was fetched does not run here' };
  } catch (error) {
    return { reason: error instanceof Error ? error.message : String(error) };
  }
}

/** Runs it; answers what it said, and whether all was well. */
export function promtool(binary: string, args: readonly string[]): { ok: boolean; said: string } {
  const { status, stdout, stderr } = spawnSync(binary, args, { encoding: 'utf8', timeout: 60_000 });
  return { ok: status === 0, said: `${stdout}${stderr}` };
}
