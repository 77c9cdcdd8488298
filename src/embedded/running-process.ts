import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** A process that can be told from a later one with the same pid: by when it started, in clock ticks of this boot. */
export interface ProcessIdentity {
  pid: number;
  startedAt: string;
}

/**
 * Who has this pid now; undefined when nobody. A zombie counts as nobody: `process.kill(pid, 0)` says that it lives.
 * Source: proc(5), fields 3 (state) and 22 (start time) of `/proc/<pid>/stat`.
 */
export function identityOf(pid: number): ProcessIdentity | undefined {
  const stat = readProc(pid, 'stat');
  // The name in field 2 stands in parentheses and may itself hold spaces and parentheses.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const [state, startedAt] = [fields[0], fields[19]];
  return startedAt === undefined || state === 'Z' || state === 'X' ? undefined : { pid, startedAt };
}

export function isRunning(identity: ProcessIdentity): boolean {
  return identityOf(identity.pid)?.startedAt === identity.startedAt;
}

/** The running processes with this option on their command line: a server is found by the directory it was given. */
export function findProcesses(option: { flag: string; value: string }): ProcessIdentity[] {
  const pids = readdirSync('/proc').map(Number).filter(Number.isInteger);
  return pids
    .filter((pid) => hasOption(readProc(pid, 'cmdline').split('\0'), option))
    .map(identityOf)
    .filter((identity) => identity !== undefined);
}

function hasOption(commandLine: readonly string[], option: { flag: string; value: string }): boolean {
  return commandLine.some((word, index) => word === option.flag && commandLine[index + 1] === option.value);
}

/** Signals a process that need not be our child and waits until it is gone; after `graceMs` it is killed. */
export async function endProcess(identity: ProcessIdentity, signal: NodeJS.Signals, graceMs: number): Promise<void> {
  signalProcess(identity, signal);
  const killAt = Date.now() + graceMs;
  while (isRunning(identity)) {
    if (Date.now() > killAt) signalProcess(identity, 'SIGKILL');
    await sleep(20);
  }
}

function signalProcess(identity: ProcessIdentity, signal: NodeJS.Signals): void {
  try {
    if (isRunning(identity)) process.kill(identity.pid, signal);
  } catch (error) {
    // It may end between the look and the signal.
    if (isRunning(identity)) throw new Error(`process ${identity.pid} cannot be ended`, { cause: error });
  }
}

/** Empty when the process is gone: that is an answer, not a fault. */
function readProc(pid: number, file: 'stat' | 'cmdline'): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return '';
  }
}
