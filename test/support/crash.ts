import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { expect } from 'vitest';
import type { ChildOrders, ChildReport } from './crash-child.ts';
import { fastSettings } from './pipeline.ts';

/** A pipeline in a process of its own, killed with its scope. */
export interface ChildPipeline extends AsyncDisposable {
  pid: number;
  /** Resolves when its pipeline runs. */
  ready: Promise<void>;
  /** The responses it was given an answer for, by client id. */
  answered: Map<string, string>;
  hasSubmitted(): boolean;
  signal(signal: NodeJS.Signals): void;
  /** Resolves with the signal that ended it, or its exit code. */
  ended: Promise<NodeJS.Signals | number | null>;
}

/** Starts a pipeline that submits what it is told to, and may be told to kill itself. */
export function startChildPipeline(orders: Omit<ChildOrders, 'settings'> & { settings?: Record<string, string> }): ChildPipeline {
  const full: ChildOrders = { ...orders, settings: { ...fastSettings, ...orders.settings } };
  const script = fileURLToPath(new URL('./crash-child.ts', import.meta.url));
  const child = spawn(process.execPath, [script, JSON.stringify(full)], { stdio: ['ignore', 'pipe', 'inherit'] });
  const answered = new Map<string, string>();
  const becameReady = Promise.withResolvers<void>();
  let hasSubmitted = false;
  const lines = createInterface(child.stdout);
  lines.on('line', (line) => {
    const report = JSON.parse(line) as ChildReport;
    if (report.kind === 'answered') answered.set(report.clientId, report.id);
    if (report.kind === 'submitted') hasSubmitted = true;
    if (report.kind === 'ready') becameReady.resolve();
  });
  becameReady.promise.catch(() => undefined); // where nobody waits for it
  const read = once(lines, 'close');
  const ended = once(child, 'exit').then(async ([code, signal]: (number | NodeJS.Signals | null)[]) => {
    await read;
    becameReady.reject(new Error(`The child ended with ${signal ?? code ?? 'nothing'} before its pipeline ran.`));
    return signal ?? code ?? null;
  });
  return {
    pid: child.pid ?? 0,
    ready: becameReady.promise,
    answered,
    hasSubmitted: () => hasSubmitted,
    signal: (signal) => void child.kill(signal),
    ended,
    async [Symbol.asyncDispose]() {
      if (child.exitCode === null && child.signalCode === null) {
        child.kill('SIGCONT');
        child.kill('SIGKILL');
      }
      await ended;
    },
  };
}

/** Waits until it has killed itself. */
export async function hasKilledItself(child: ChildPipeline): Promise<void> {
  expect(await child.ended).toBe('SIGKILL');
}
