import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import { expect, test } from 'vitest';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { hasEnded } from '../support/conditions.ts';
import { startNode } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const postgresModule = path.resolve('src/embedded/postgres.ts');

const owner = (dir: string) => `
  import { startPostgres } from ${JSON.stringify(postgresModule)};
  const postgres = await startPostgres({ dir: ${JSON.stringify(dir)} });
  console.log('running ' + postgres.pid);
  setInterval(() => {}, 1000);
`;

test('what was committed is there after a stop and a start, and the password stays', async () => {
  using dir = createTemporaryDirectory();
  const first = await startPostgres({ dir: dir.path });
  await query(first.url, 'create table kept as select 42 as value');
  await first.stop();
  await first.stop();
  await hasEnded(first.pid);
  const second = await startPostgres({ dir: dir.path });
  expect(await query(second.url, 'select value from kept')).toEqual([{ value: 42 }]);
  expect(new URL(second.url).password).toBe(new URL(first.url).password);
  await second.stop();
});

test('the password is random, kept where only the owner reads it, and demanded', async () => {
  using dir = createTemporaryDirectory();
  const postgres = await startPostgres({ dir: dir.path });
  const file = path.join(dir.path, 'password');
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(readFileSync(file, 'utf8').trim()).toBe(new URL(postgres.url).password);
  const guess = new URL(postgres.url);
  guess.password = 'formwire';
  await expect(query(guess.href, 'select 1')).rejects.toThrow('password authentication failed');
  await postgres.stop();
});

test('it listens on loopback TCP only', async () => {
  using dir = createTemporaryDirectory();
  const postgres = await startPostgres({ dir: dir.path, ephemeral: true });
  expect(await query(postgres.url, "select current_setting('listen_addresses') as tcp, current_setting('unix_socket_directories') as sockets"))
    .toEqual([{ tcp: '127.0.0.1', sockets: '' }]);
  await postgres.stop();
});

test('an ephemeral one leaves nothing behind', async () => {
  using dir = createTemporaryDirectory();
  const data = path.join(dir.path, 'postgres');
  const postgres = await startPostgres({ dir: data, ephemeral: true });
  await postgres.stop();
  expect(existsSync(data)).toBe(false);
});

test('a second start on the same directory is refused while the first runs', async () => {
  using dir = createTemporaryDirectory();
  const first = await startPostgres({ dir: dir.path, ephemeral: true });
  await expect(startPostgres({ dir: dir.path, ephemeral: true })).rejects.toThrow(`process ${process.pid}) is already running on the data directory`);
  expect(await query(first.url, 'select 1 as still')).toEqual([{ still: 1 }]);
  await first.stop();
});

test('it ends when the process that started it is killed', async () => {
  using dir = createTemporaryDirectory();
  await using process = startNode(owner(dir.path));
  const pid = Number((await process.says(/running (\d+)/))[1]);
  await process.kill('SIGKILL');
  await hasEnded(pid);
});

test('a start right after the owner was killed does not wait for anyone’s help', async () => {
  using dir = createTemporaryDirectory();
  await using process = startNode(owner(dir.path));
  await process.says('running');
  await process.kill('SIGKILL');
  const next = await startPostgres({ dir: dir.path });
  expect(await query(next.url, 'select 1 as up')).toEqual([{ up: 1 }]);
  await next.stop();
});

test('a start right after another was killed while it made the cluster makes its own', async () => {
  using dir = createTemporaryDirectory();
  await using process = startNode(owner(dir.path));
  await expect.poll(() => isMakingCluster(dir.path), { interval: 5, timeout: 20_000 }).toBe(true);
  await process.kill('SIGKILL');
  const next = await startPostgres({ dir: dir.path });
  expect(await query(next.url, 'select 1 as up')).toEqual([{ up: 1 }]);
  expect(readdirSync(dir.path).filter((name) => name.includes('unfinished'))).toEqual([]);
  await next.stop();
});

test('a start after the server itself was killed, with sessions open, recovers', async () => {
  using dir = createTemporaryDirectory();
  const first = await startPostgres({ dir: dir.path });
  const session = new Client({ connectionString: first.url });
  session.on('error', () => undefined);
  await session.connect();
  await session.query('create table kept as select 42 as value');
  process.kill(first.pid, 'SIGKILL');
  await first.exited;
  await first.stop();
  const second = await startPostgres({ dir: dir.path });
  expect(await query(second.url, 'select value from kept')).toEqual([{ value: 42 }]);
  await second.stop();
});

test('a pid file whose pid belongs to another program by now does not stop a start', async () => {
  using dir = createTemporaryDirectory();
  const first = await startPostgres({ dir: dir.path });
  const pidFile = path.join(dir.path, 'cluster/postmaster.pid');
  const lines = readFileSync(pidFile, 'utf8').split('\n');
  await first.stop();
  await using other = startNode('console.log("here"); setInterval(() => {}, 1000);');
  await other.says('here');
  writeFileSync(pidFile, [other.pid, ...lines.slice(1)].join('\n'));
  const second = await startPostgres({ dir: dir.path });
  expect(await query(second.url, 'select 1 as up')).toEqual([{ up: 1 }]);
  await second.stop();
});

test('a directory of another major version is refused in a sentence', async () => {
  using dir = createTemporaryDirectory();
  await (await startPostgres({ dir: dir.path })).stop();
  writeFileSync(path.join(dir.path, 'cluster/PG_VERSION'), '15\n');
  await expect(startPostgres({ dir: dir.path })).rejects.toThrow('was made by PostgreSQL 15, and the embedded one is 18');
});

/** initdb is past its first directories, and has most of its work before it. */
const isMakingCluster = (dir: string): boolean => readdirSync(dir).some((name) => name.includes('unfinished') && existsSync(path.join(dir, name, 'base')));

async function query(url: string, statement: string): Promise<unknown[]> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    return (await client.query<Record<string, unknown>>(statement)).rows;
  } finally {
    await client.end();
  }
}
