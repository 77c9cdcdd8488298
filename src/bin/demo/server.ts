import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../../embedded/child-process.ts';
import { isRunning } from './api-client.ts';

const startsWithinMs = 120_000;

/**
 * Starts a Formwire of the demo's own, with the usual data, and waits until it serves. Its retries come after a second,
 * so that they can be watched.
 */
export async function startServer(url: string): Promise<{ stop(): Promise<void> }> {
  const formwire = fileURLToPath(new URL('../formwire.ts', import.meta.url));
  const [command = '', ...args] = endingWithParent('SIGTERM', [process.execPath, formwire, 'start']);
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'inherit'],
    env: { FORMWIRE_RETRY_SCHEDULE: '1s,2s,4s,8s,16s', FORMWIRE_LOG_LEVEL: 'warn', ...process.env },
  });
  const exited = once(child, 'exit');
  const giveUpAt = Date.now() + startsWithinMs;
  while (!(await isRunning(url))) {
    if (child.exitCode !== null || Date.now() > giveUpAt) throw new Error('Formwire did not start; what it says is above.');
    await sleep(100);
  }
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}
