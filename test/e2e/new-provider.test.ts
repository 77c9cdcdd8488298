import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { startProcess, type NodeProcess } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const project = path.resolve(import.meta.dirname, '../..');

/** A copy of what a provider and its tests are made of. */
function copyProject(): { path: string; read(file: string): string; run(...args: string[]): NodeProcess } & Disposable {
  const directory = createTemporaryDirectory();
  const { path: root } = directory;
  for (const place of ['src', 'integrations', 'test/support', 'test/providers', 'package.json', 'tsconfig.json']) cpSync(path.join(project, place), path.join(root, place), { recursive: true });
  symlinkSync(path.join(project, 'node_modules'), path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'vitest.config.ts'), "export default { test: { include: ['test/providers/*.test.ts'], pool: 'forks', maxWorkers: 1, testTimeout: 30_000 } };\n");
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(VITEST|TEST$|NODE_ENV$|VITE_)/.test(name)));
  return {
    path: root,
    read: (file) => readFileSync(path.join(root, file), 'utf8'),
    run: (...args) => startProcess({ command: process.execPath, args, cwd: root, env: { ...env, NO_COLOR: '1' } }),
    [Symbol.dispose]: directory[Symbol.dispose],
  };
}

const program = 'src/bin/new-provider.ts';

test('what it writes keeps the contract, passes its own tests and fits the types', async () => {
  using copy = copyProject();
  await using made = copy.run(program, 'parcel-labels');
  expect(await made.exited).toBe(0);
  await made.says('npm test -- test/providers/parcel-labels.test.ts');
  expect(copy.read('integrations/index.ts')).toMatch(/^export const providers = \[.*\bparcelLabels\]/m);

  const only = { extends: './tsconfig.json', include: ['integrations', 'test/providers/parcel-labels.test.ts'] };
  writeFileSync(path.join(copy.path, 'tsconfig.only.json'), JSON.stringify(only));
  await using types = copy.run(path.join(project, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.only.json');
  await using tests = copy.run(path.join(project, 'node_modules/vitest/vitest.mjs'), 'run', 'test/providers/parcel-labels.test.ts', 'test/providers/installed.test.ts');
  expect(await types.exited).toBe(0);
  expect(await tests.exited).toBe(0);
  await tests.says(/parcel-labels\.test\.ts \((\d+) tests/);
  await tests.says('installed.test.ts');
}, 120_000);

test('it overwrites nothing, and says what is in its way', async () => {
  using copy = copyProject();
  const before = copy.read('integrations/index.ts');
  const refusals: [args: string[], said: string][] = [
    [[], 'Say what it is called'],
    [['parcel', 'labels'], 'A name is one word'],
    [['webhook'], 'integrations/webhook is there already'],
    [['message-template'], 'integrations/message-template.ts is there already'],
    [['../evil'], 'is no name for a provider'],
  ];
  for (const [args, said] of refusals) {
    await using run = copy.run(program, ...args);
    await run.says(said);
    expect(await run.exited).toBe(1);
  }
  mkdirSync(path.join(copy.path, 'test/providers'), { recursive: true });
  writeFileSync(path.join(copy.path, 'test/providers/mine.test.ts'), 'mine');
  await using run = copy.run(program, 'mine');
  expect(await run.exited).toBe(1);
  expect(copy.read('test/providers/mine.test.ts')).toBe('mine');
  expect(() => copy.read('integrations/mine/mine.ts')).toThrow('ENOENT');
  expect(copy.read('integrations/index.ts')).toBe(before);
});
