import { spawnSync } from 'node:child_process';
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { identityOf } from '../../src/embedded/running-process.ts';
import { hasEnded } from '../support/conditions.ts';
import { startProcess, type NodeProcess } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const program = `
  const name: string = 'program';
  const parent = process.ppid;
  process.on('SIGTERM', () => { console.log('told to end'); process.exit(5); });
  console.log(name + ' ' + process.pid + ' with ' + JSON.stringify(process.argv.slice(2)));
  if (process.argv[2] === 'exit') process.exit(Number(process.argv[3]));
  let orphaned = 0;
  setInterval(() => {
    if (process.ppid !== parent && ++orphaned === 4) console.log('outlived its parent');
  }, 150);
`;

/**
 * Stands in for npm: notes that it ran, takes as long as the file `hold` is there, and installs what the lockfile says.
 * It takes a first signal as a request not to install, and as long as before; a second SIGINT ends it.
 * (A second SIGTERM does not: the kernel may send one for each thread of a killed launcher.)
 */
const npm = `
  const { appendFileSync, copyFileSync, existsSync, mkdirSync } = require('node:fs');
  let told = false;
  process.once('SIGINT', () => (told = true));
  for (const signal of ['SIGTERM', 'SIGHUP']) process.on(signal, () => (told = true));
  appendFileSync('npm-runs', 'run ' + process.pid + '\\n');
  const finish = () => {
    if (existsSync('hold')) return setTimeout(finish, 10);
    setTimeout(install, 50); // of a signal that has come meanwhile is told after the timers that are due
  };
  const install = () => {
    if (told) return;
    mkdirSync('node_modules', { recursive: true });
    copyFileSync('package-lock.json', 'node_modules/.package-lock.json');
  };
  finish();
`;

test('a program gets its arguments, and its exit code is passed on', async () => {
  using project = createProject();
  await using run = project.launch(['program.ts', 'exit', '7', 'two words']);
  await run.says('with ["exit","7","two words"]');
  expect(await run.exited).toBe(7);
});

test('under another Node.js the exit code is passed on too', async () => {
  using project = createProject({ bundledNode: true });
  await using run = project.launch(['program.ts', 'exit', '7']);
  expect(await run.exited).toBe(7);
});

test('a signal to the launcher reaches the program, which ends in its own way', async () => {
  using project = createProject({ bundledNode: true });
  await using run = project.launch(['program.ts']);
  const pid = await pidOfProgram(run);
  expect(pid).not.toBe(run.pid);
  await run.kill('SIGTERM');
  await run.says('told to end');
  expect(await run.exited).toBe(5);
  await hasEnded(pid);
});

test('the program ends in its own way when the launcher is killed', async () => {
  using project = createProject({ bundledNode: true });
  await using run = project.launch(['program.ts']);
  const pid = await pidOfProgram(run);
  await run.kill('SIGKILL');
  await hasEnded(pid);
  await run.says('told to end');
});

test.each([{ bundledNode: true }, { bundledNode: false }])('the program ends in its own way when npm is killed (%o)', async (options) => {
  using project = createProject(options);
  await using npmRun = project.launchUnder('npm', ['program.ts']);
  const pid = await pidOfProgram(npmRun);
  await npmRun.kill('SIGKILL');
  await hasEnded(pid);
  await npmRun.says('told to end');
});

test('the program goes on when a shell that started it in the background is gone', async () => {
  using project = createProject();
  await using shell = project.launchUnder('shell', ['program.ts']);
  const pid = await pidOfProgram(shell);
  await shell.kill('SIGKILL');
  await shell.says('outlived its parent');
  process.kill(pid, 'SIGTERM');
  await hasEnded(pid);
});

test('dependencies are installed by the first start, and again when the lockfile has changed', async () => {
  using project = createProject({ dependency: '1.0.0' });
  const start = async () => {
    await using run = project.launch(['program.ts', 'exit', '0']);
    expect(await run.exited).toBe(0);
    return project.npmRuns();
  };
  expect(await start()).toHaveLength(1);
  expect(await start()).toHaveLength(1);
  project.wantDependency('1.0.1');
  expect(await start()).toHaveLength(2);
});

test('of two first starts at once one installs, and both go on', async () => {
  using project = createProject({ dependency: '1.0.0' });
  project.holdNpm();
  await using first = project.launch(['program.ts', 'exit', '0']);
  await using second = project.launch(['program.ts', 'exit', '0']);
  await expect.poll(() => project.npmRuns().length, { timeout: 10_000 }).toBe(1);
  project.letNpmFinish();
  expect(await Promise.all([first.exited, second.exited])).toEqual([0, 0]);
  expect(project.npmRuns()).toHaveLength(1);
});

test('a start after the installer was killed installs again', async () => {
  using project = createProject({ dependency: '1.0.0' });
  project.holdNpm();
  await using killed = project.launch(['program.ts', 'exit', '0']);
  await expect.poll(() => project.npmRuns().length, { timeout: 10_000 }).toBe(1);
  await killed.kill('SIGKILL');
  process.kill(project.npmRuns()[0]!, 'SIGKILL');
  project.letNpmFinish();
  await using next = project.launch(['program.ts', 'exit', '0']);
  expect(await next.exited).toBe(0);
  expect(project.npmRuns()).toHaveLength(2);
});

test.each([
  { signal: 'SIGINT', code: 130 },
  { signal: 'SIGTERM', code: 143 },
  { signal: 'SIGHUP', code: 129 },
] as const)('a $signal during the installation ends npm, which is waited for, and the program is not started', async ({ signal, code }) => {
  using project = createProject({ dependency: '1.0.0' });
  project.holdNpm();
  await using run = project.launch(['program.ts']);
  await expect.poll(() => project.npmRuns().length, { timeout: 10_000 }).toBe(1);
  void run.kill(signal);
  await run.says('Stopping the install');
  expect(project.isLocked()).toBe(true);
  project.letNpmFinish();
  expect(await run.exited).toBe(code);
  expect(identityOf(project.npmRuns()[0]!)).toBeUndefined();
  expect(project.isLocked()).toBe(false);
  await using next = project.launch(['program.ts', 'exit', '0']);
  expect(await next.exited).toBe(0);
  expect(project.npmRuns()).toHaveLength(2);
});

test('a signal that is repeated during the installation ends npm at once', async () => {
  using project = createProject({ dependency: '1.0.0' });
  project.holdNpm();
  await using run = project.launch(['program.ts']);
  await expect.poll(() => project.npmRuns().length, { timeout: 10_000 }).toBe(1);
  const repeated = setInterval(() => void run.kill('SIGINT'), 200);
  expect(await run.exited).toBe(130);
  clearInterval(repeated);
  expect(identityOf(project.npmRuns()[0]!)).toBeUndefined();
  expect(project.isLocked()).toBe(false);
});

test('npm is told to end when the launcher is killed during the installation, and the next start waits for it', async () => {
  using project = createProject({ dependency: '1.0.0' });
  project.holdNpm();
  await using killed = project.launch(['program.ts']);
  await expect.poll(() => project.npmRuns().length, { timeout: 10_000 }).toBe(1);
  await killed.kill('SIGKILL');
  await using next = project.launch(['program.ts', 'exit', '0']);
  expect(project.isLocked()).toBe(true);
  project.letNpmFinish();
  expect(await next.exited).toBe(0);
  expect(project.npmRuns()).toHaveLength(2);
});

async function pidOfProgram(run: NodeProcess): Promise<number> {
  return Number((await run.says(/program (\d+)/))[1]);
}

interface Project extends Disposable {
  launch(args: string[]): NodeProcess;
  /** With a shell as the launcher's parent, which npm has too; the process is the shell's. */
  launchUnder(parent: 'npm' | 'shell', args: string[]): NodeProcess;
  wantDependency(version: string): void;
  holdNpm(): void;
  letNpmFinish(): void;
  /** Whether a start would have to wait for an installation. */
  isLocked(): boolean;
  /** The pids that npm had, one for each run. */
  npmRuns(): number[];
}

/** A project of its own with our launcher in it. Its bundled Node.js is this one by another name. */
function createProject(options: { bundledNode?: boolean; dependency?: string } = {}): Project {
  const dir = createTemporaryDirectory();
  const at = (file: string) => path.join(dir.path, file);
  mkdirSync(at('src/bin'), { recursive: true });
  copyFileSync('src/bin/launch.mjs', at('src/bin/launch.mjs'));
  writeFileSync(at('package.json'), '{ "type": "module" }');
  writeFileSync(at('program.ts'), program);
  const npmFile = writeNpm(dir.path);
  const wantDependency = (version: string) => {
    const packages = { 'node_modules/some-package': { version }, 'node_modules/for-another-platform': { version, optional: true } };
    writeFileSync(at('package-lock.json'), JSON.stringify({ packages: { '': {}, ...packages } }));
  };
  if (options.dependency === undefined) writeFileSync(at('package-lock.json'), '{ "packages": {} }');
  else wantDependency(options.dependency);
  if (options.bundledNode) writeBundledNode(dir.path);
  const env = { ...process.env, npm_execpath: npmFile, npm_node_execpath: process.execPath };
  return {
    launch: (args) => startProcess({ command: process.execPath, args: ['src/bin/launch.mjs', ...args], cwd: dir.path, env }),
    launchUnder: (parent, args) => startProcess({
      command: 'sh',
      args: ['-c', '"$@" & wait', 'sh', process.execPath, 'src/bin/launch.mjs', ...args],
      cwd: dir.path,
      env: { ...env, npm_lifecycle_event: parent === 'npm' ? 'start' : undefined },
    }),
    wantDependency,
    holdNpm: () => writeFileSync(at('hold'), ''),
    letNpmFinish: () => rmSync(at('hold')),
    isLocked: () => spawnSync('flock', ['--nonblock', dir.path, 'true']).status !== 0,
    npmRuns: () => (existsSync(at('npm-runs')) ? readFileSync(at('npm-runs'), 'utf8') : '').split('\n').filter(Boolean).map((line) => Number(line.split(' ')[1])),
    [Symbol.dispose]: () => dir[Symbol.dispose](),
  };
}

function writeNpm(project: string): string {
  const dir = path.join(project, 'npm');
  mkdirSync(dir);
  writeFileSync(path.join(dir, 'package.json'), '{ "type": "commonjs" }');
  writeFileSync(path.join(dir, 'npm-cli.js'), npm);
  return path.join(dir, 'npm-cli.js');
}

function writeBundledNode(project: string): void {
  const dir = path.join(project, `node_modules/node-${process.platform}-${process.arch}/bin`);
  mkdirSync(dir, { recursive: true });
  writeFileSync(path.join(dir, 'node'), `#!/bin/sh\nexec "${process.execPath}" "$@"\n`);
  chmodSync(path.join(dir, 'node'), 0o755);
}
