import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { setTimeout as sleep } from 'node:timers/promises';
import { endingWithParent } from '../../embedded/child-process.ts';
import { whoAnswers } from './api-client.ts';

const startsWithinMs = 120_000;

/**
 * Starts a Formwire of the demo's own, with the usual data, and waits until it serves. Its retries come after a second,
 * so that they can be watched. `environment`: where it finds what the demo simulates.
 */
export async function startServer(url: string, environment: Record<string, string>, interrupted: Promise<never>): Promise<{ stop(): Promise<void> }> {
  const formwire = fileURLToPath(new URL('../formwire.ts', import.meta.url));
  const [command = '', ...args] = endingWithParent('SIGTERM', [process.execPath, formwire, 'start']);
  const child = spawn(command, args, {
    stdio: ['ignore', 'ignore', 'pipe'],
    detached: true, // Ctrl-C reaches only the demo, which still needs the server to tidy up
    env: { FORMWIRE_RETRY_SCHEDULE: '1s,2s,4s,8s,16s', FORMWIRE_LOG_LEVEL: 'warn', ...process.env, ...environment },
  });
  let said = '';
  child.stderr.on('data', (chunk: Buffer) => (said = `${said}${chunk.toString()}`.slice(-2_000)));
  const exited = once(child, 'close');
  const giveUpAt = Date.now() + startsWithinMs;
  while ((await whoAnswers(url)) !== 'formwire') {
    if (hasEnded(child)) {
      await exited; // and has said all
      throw new Error(said.trim().replace(/^formwire: /, '') || 'Formwire ended before it served.');
    }
    if (Date.now() > giveUpAt) {
      child.kill('SIGTERM');
      throw new Error(`Formwire did not start within ${startsWithinMs / 1_000} s. ${said.trim()}`);
    }
    await Promise.race([sleep(100), interrupted]).catch((error: unknown) => {
      child.kill('SIGTERM');
      throw error;
    });
  }
  return {
    stop: async () => {
      child.kill('SIGTERM');
      await exited;
    },
  };
}

const hasEnded = (child: ChildProcess): boolean => child.exitCode !== null || child.signalCode !== null;
