import { spawn } from 'node:child_process';
import path from 'node:path';

/** The command line's program. */
export const formwire = path.resolve(import.meta.dirname, '../../src/bin/formwire.ts');

export interface CommandResult {
  code: number | null;
  stdout: string;
  stderr: string;
  /** What `--json` printed. */
  // oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
  json: any;
}

/** Runs a command of `formwire` to its end, with these variables and no others of ours. */
export function runFormwire(args: readonly string[], env: Record<string, string>): Promise<CommandResult> {
  const child = spawn(process.execPath, [formwire, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: { PATH: process.env['PATH'], ...env } });
  let [stdout, stderr] = ['', ''];
  child.stdout.on('data', (chunk: Buffer) => (stdout += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve({ code, stdout, stderr, json: args.includes('--json') && stdout !== '' ? parsed(stdout) : undefined }));
  });
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
