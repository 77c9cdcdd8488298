import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect } from 'vitest';

/** A program of the test's own in a process of its own; killed with its scope. */
export interface NodeProcess extends AsyncDisposable {
  pid: number;
  /** Waits until its output contains this. */
  says(text: string | RegExp): Promise<RegExpExecArray>;
  /** Writes to its standard input. */
  write(text: string): void;
  /** Signals it and waits until it has ended. */
  kill(signal: NodeJS.Signals): Promise<void>;
  /** Resolves with the exit code, or the signal that ended it. */
  exited: Promise<number | NodeJS.Signals | null>;
}

/** Runs TypeScript source under the Node.js of this test. */
export function startNode(source: string): NodeProcess {
  return startProcess({ command: process.execPath, args: ['--input-type=module-typescript', '--eval', source] });
}

/** Runs a command, in the test's own environment unless told otherwise. */
export function startProcess(options: { command: string; args: string[]; env?: NodeJS.ProcessEnv; cwd?: string }): NodeProcess {
  const { command, args, env = process.env, cwd = process.cwd() } = options;
  const child = spawn(command, args, { stdio: 'pipe', env, cwd });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stdin.on('error', () => undefined); // it may have ended already
  const exited = once(child, 'exit').then(([code, signal]: (number | NodeJS.Signals | null)[]) => code ?? signal ?? null);
  const kill = async (signal: NodeJS.Signals) => {
    child.kill(signal);
    await exited;
  };
  return {
    pid: child.pid ?? 0,
    async says(text) {
      const pattern = typeof text === 'string' ? new RegExp(RegExp.escape(text)) : text;
      await expect.poll(() => output, { timeout: 20_000, interval: 10 }).toMatch(pattern);
      return pattern.exec(output)!;
    },
    write: (text) => void child.stdin.write(text),
    kill,
    exited,
    [Symbol.asyncDispose]: () => kill('SIGKILL'),
  };
}
