import { expect } from 'vitest';
import { longestGap } from './deaths.ts';
import { startInstallation, type FormwireProcess } from './installation.ts';
import { startTraffic } from './traffic.ts';

/** A good deal longer than the load balancer needs to notice, also on a machine that is busy. */
export const restartSettings = { FORMWIRE_STOP_DELAY: '2s', FORMWIRE_DRAIN: '20s' };

/**
 * Restarts every process in turn, by SIGTERM, under load: every process ends in order, and nobody notices. Answers the
 * longest time in which no receiver got anything, in milliseconds.
 */
export async function survivesRollingRestarts({ rounds }: { rounds: number }): Promise<number> {
  await using installation = await startInstallation({ settings: restartSettings });
  await using traffic = await startTraffic(installation);
  await traffic.goesOn();
  for (let round = 0; round < rounds; round += 1) {
    for (const one of [...installation.apis, ...installation.dispatchers]) await restart(one);
  }
  await traffic.wentUndisturbed();
  return longestGap(traffic.receivers.flatMap(({ requests }) => requests.map(({ receivedAt }) => receivedAt.getTime())));
}

/** Ends a process as an operator does, and starts it again, with other variables than before if some are given. */
export async function restart(one: FormwireProcess, change: Record<string, string> = {}): Promise<void> {
  expect(await one.stop(), one.output().slice(-2_000)).toBe(0);
  one.start(change);
  await one.ready();
}
