import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { DataDirectoryBusyError, lockDataDirectory } from '../../src/embedded/data-lock.ts';
import { identityOf } from '../../src/embedded/running-process.ts';
import { startNode } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const lockModule = path.resolve('src/embedded/data-lock.ts');

/** Takes the lock, says so, and keeps it until it is killed; or says whose it is. */
const holdLock = (dir: string) => `
  import { lockDataDirectory } from ${JSON.stringify(lockModule)};
  try { lockDataDirectory(${JSON.stringify(dir)}); console.log('locked'); setInterval(() => {}, 1000); }
  catch (error) { console.log(error.name); }
`;

test('a second lock on a directory is refused, with the pid of the one who holds it', () => {
  using dir = createTemporaryDirectory();
  const lock = lockDataDirectory(dir.path);
  expect(() => lockDataDirectory(dir.path)).toThrow(`A Formwire (process ${process.pid}) is already running on the data directory ${dir.path}`);
  lock.release();
});

test('a released lock can be taken again, and the first holder cannot release it any more', () => {
  using dir = createTemporaryDirectory();
  const first = lockDataDirectory(dir.path);
  first.release();
  const second = lockDataDirectory(dir.path);
  first.release();
  expect(() => lockDataDirectory(dir.path)).toThrow(DataDirectoryBusyError);
  second.release();
  lockDataDirectory(dir.path).release();
});

test('the lock of a killed process is taken over', async () => {
  using dir = createTemporaryDirectory();
  await using holder = startNode(holdLock(dir.path));
  await holder.says('locked');
  expect(() => lockDataDirectory(dir.path)).toThrow(`process ${holder.pid}`);
  await holder.kill('SIGKILL');
  lockDataDirectory(dir.path).release();
});

test('a lock whose process ended but was not yet waited for is taken over', async () => {
  using dir = createTemporaryDirectory();
  const source = holdLock(dir.path);
  // A shell that starts the holder and then becomes `sleep` never collects it: the killed holder stays a zombie.
  const script = `"$1" --input-type=module-typescript -e "$2" & echo "$!"; exec sleep 1000`;
  const shell = spawn('sh', ['-c', script, 'sh', process.execPath, source], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    let said = '';
    shell.stdout.on('data', (chunk: Buffer) => (said += chunk.toString()));
    await expect.poll(() => said, { timeout: 10_000 }).toContain('locked');
    const pid = Number.parseInt(said, 10);
    process.kill(pid, 'SIGKILL');
    await expect.poll(() => readFileSync(`/proc/${pid}/stat`, 'utf8')).toContain(') Z ');
    lockDataDirectory(dir.path).release();
  } finally {
    shell.kill('SIGKILL');
    await once(shell, 'exit');
  }
});

test('a lock is stale when its pid now belongs to a process that started at another time, or before a restart of the machine', () => {
  using dir = createTemporaryDirectory();
  lockDataDirectory(dir.path);
  const held = currentLock(dir.path);
  const [pid, startedAt, boot] = readFileSync(held, 'utf8').trim().split(' ');
  expect(identityOf(process.pid)).toEqual({ pid: Number(pid), startedAt });
  writeFileSync(held, `${pid} ${Number(startedAt) - 1} ${boot}\n`);
  lockDataDirectory(dir.path);
  writeFileSync(currentLock(dir.path), `${pid} ${startedAt} another-boot\n`);
  lockDataDirectory(dir.path).release();
});

test('of several processes that race for stale locks exactly one wins each', async () => {
  using dir = createTemporaryDirectory();
  const contested = Array.from({ length: 400 }, (_, index) => path.join(dir.path, String(index)));
  for (const one of contested) {
    mkdirSync(one);
    writeFileSync(path.join(one, 'lock.7'), '999999999 1 gone\n');
  }
  await using racers = startRacers(contested, 3);
  const results = await racers.race();
  const winners = contested.map((_, index) => results.filter((won) => won[index] === '1').length);
  expect(winners).toEqual(contested.map(() => 1));
});

test('nothing but the lock is left in the directory', () => {
  using dir = createTemporaryDirectory();
  for (let turn = 0; turn < 3; turn += 1) lockDataDirectory(dir.path).release();
  expect(readdirSync(dir.path)).toEqual(['lock.3']);
});

/**
 * Processes that go through the same directories side by side and keep what they win. Each turn begins at a moment that
 * all of them know, so that they meet within microseconds.
 */
function startRacers(dirs: string[], count: number): { race(): Promise<string[]> } & AsyncDisposable {
  const racer = `
    import { lockDataDirectory } from ${JSON.stringify(lockModule)};
    import { once } from 'node:events';
    const win = (dir) => { try { lockDataDirectory(dir); return '1'; } catch (error) { if (error.pid) return '0'; throw error; } };
    console.log('ready');
    const begin = Number(await once(process.stdin, 'data'));
    const won = ${JSON.stringify(dirs)}.map((dir, turn) => { while (Date.now() < begin + 3 * turn); return win(dir); });
    console.log('won ' + won.join(''));
    setInterval(() => {}, 1000);
  `;
  const racers = Array.from({ length: count }, () => startNode(racer));
  return {
    async race() {
      await Promise.all(racers.map((one) => one.says('ready')));
      const begin = Date.now() + 50;
      for (const one of racers) one.write(String(begin));
      return Promise.all(racers.map(async (one) => (await one.says(/won (\d+)\n/))[1] ?? ''));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(racers.map((one) => one[Symbol.asyncDispose]()));
    },
  };
}

function currentLock(dir: string): string {
  const [name = ''] = readdirSync(dir).filter((entry) => /^lock\.\d+$/.test(entry));
  return path.join(dir, name);
}
