import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, renameSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { asServerUser, spawnIdentity, type ServerUser } from './server-user.ts';
import { systemEnv } from './system-env.ts';

/** A server that we started. */
export interface ServerProcess {
  pid: number;
  isRunning(): boolean;
  /** Resolves when the process has ended, for whatever reason. */
  exited: Promise<void>;
  /** The end of what it logged since this start. */
  logTail(): string;
  /** Ends it and waits; killed after `graceMs`. May be called twice, and after it ended by itself. */
  stop(signal: NodeJS.Signals, graceMs: number): Promise<void>;
}

/**
 * Starts a server that ends with this process: on `parentDeathSignal`, which the kernel sends also when we are killed.
 * It is in a session of its own, so that Ctrl-C in a terminal reaches only us and the order of stopping stays ours.
 * It logs to `logFile`, not to a pipe, which would break when we die and take its orderly shutdown with it.
 * Call this from the main thread: the signal is bound to the thread that spawned.
 */
export function spawnServer(options: {
  commandLine: readonly string[];
  user: ServerUser;
  parentDeathSignal: NodeJS.Signals;
  logFile: string;
}): ServerProcess {
  const { user, parentDeathSignal, logFile } = options;
  // Entering a namespace or changing the user clears the parent-death signal: it is set after that.
  const [command = '', ...args] = asServerUser(user, endingWithParent(parentDeathSignal, options.commandLine));
  const log = openFreshLog(logFile);
  const child = spawn(command, args, { stdio: ['ignore', log, log], detached: true, env: systemEnv, ...spawnIdentity(user) });
  closeSync(log);
  let running = child.pid !== undefined;
  let spawnError = '';
  child.once('exit', () => (running = false));
  child.once('error', (error) => (spawnError = String(error)));
  const exited = running ? once(child, 'exit').then(() => undefined) : Promise.resolve();
  return {
    pid: child.pid ?? 0,
    isRunning: () => running,
    exited,
    logTail: () => `${spawnError}${readFileSync(logFile, 'utf8').slice(-2_000)}`.trim(),
    async stop(signal, graceMs) {
      if (running) child.kill(signal);
      const killer = setTimeout(() => child.kill('SIGKILL'), graceMs);
      await exited;
      clearTimeout(killer);
    },
  };
}

/** Asks until there is an answer. Undefined when the server ended first, or `limitMs` has passed. */
export async function askUntilAnswered<T>(
  server: ServerProcess,
  ask: () => Promise<T | undefined> | T | undefined,
  limitMs: number,
): Promise<T | undefined> {
  const giveUpAt = Date.now() + limitMs;
  while (server.isRunning() && Date.now() < giveUpAt) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(15);
  }
  return undefined;
}

/** The log of the run before stays beside it as `….previous`; more is not kept, so logs cannot fill the disk. */
function openFreshLog(logFile: string): number {
  try {
    renameSync(logFile, `${logFile}.previous`);
  } catch {
    // The first run.
  }
  return openSync(logFile, 'a', 0o600);
}

/**
 * A command line whose process is sent `signal` when this one dies.
 * `setpriv` arranges the signal. Should we have died before it did, the shell sees that its parent is not us and the
 * server never starts. Where `setpriv` is missing the server outlives a kill, and the next start ends it.
 */
export function endingWithParent(signal: NodeJS.Signals, commandLine: readonly string[]): string[] {
  if (spawnSync('setpriv', ['--pdeathsig', signal, 'true'], { env: systemEnv }).status !== 0) return [...commandLine];
  const unlessOrphaned = 'test "$PPID" = "$0" && exec "$@"';
  return ['setpriv', '--pdeathsig', signal, 'sh', '-c', unlessOrphaned, String(process.pid), ...commandLine];
}
