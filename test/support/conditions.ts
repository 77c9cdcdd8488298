import { expect } from 'vitest';
import { identityOf } from '../../src/embedded/running-process.ts';

/** Waits until no process has this pid. */
export async function hasEnded(pid: number): Promise<void> {
  await expect.poll(() => identityOf(pid), { timeout: 20_000, interval: 10, message: `process ${pid} still runs` }).toBeUndefined();
}
