import path from 'node:path';
import { inject, expect, test } from 'vitest';
import { createApiClient } from '../../src/bin/demo/api-client.ts';
import { hasEnded } from '../support/conditions.ts';
import { startProcess, type NodeProcess } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const formwire = path.resolve(import.meta.dirname, '../../src/bin/formwire.ts');

/** The whole product on embedded servers, as `npm start` runs it. */
function start(dataDir: string): NodeProcess {
  return startProcess({
    command: process.execPath,
    args: [formwire, 'start'],
    env: { FORMWIRE_DATA: dataDir, PORT: '0', FORMWIRE_NATS_SERVER: inject('natsServerBinary'), FORMWIRE_LEASE: '2s' },
  });
}

const urlOf = async (run: NodeProcess): Promise<string> => (await run.says(/listens at (http:\S+)\/graphql/))[1] ?? '';
const get = async (url: string): Promise<{ status: number; body: unknown }> => {
  const response = await fetch(url);
  return { status: response.status, body: await response.json() };
};
const pidOf = async (dataDir: string): Promise<number> => {
  const { readFileSync, globSync } = await import('node:fs');
  const [file] = globSync(path.join(dataDir, 'postgres/**/postmaster.pid'));
  return Number(readFileSync(file ?? '', 'utf8').split('\n')[0]);
};

const register = `mutation ($input: RegisterInput!) { register(input: $input) { token user { id } errors { message } } }`;
const login = `mutation ($input: LoginInput!) { login(input: $input) { user { id } errors { message } } }`;
const account = { username: 'ada', email: 'ada@example.org', password: 'correct horse battery' };

test('one command serves, says where, and tells what to try next', async () => {
  using data = createTemporaryDirectory();
  await using run = start(data.path);
  const url = await urlOf(run);
  await run.says(`data in ${data.path}`);
  await run.says('npm run demo');
  await expect.poll(() => get(`${url}/readyz`)).toEqual({ status: 200, body: { ready: true, reasons: [] } });
  expect(await get(`${url}/livez`)).toMatchObject({ status: 200 });
  await run.kill('SIGTERM');
  expect(await run.exited).toBe(0);
});

test('a second start on the same data says that one is running, and harms nothing', async () => {
  using data = createTemporaryDirectory();
  await using run = start(data.path);
  const url = await urlOf(run);
  await using second = start(data.path);
  await second.says(/is in use by|already running/i);
  expect(await second.exited).toBe(1);
  expect(await get(`${url}/livez`)).toMatchObject({ status: 200 });
});

test('killed, it leaves no server behind and has lost nothing at its next start', async () => {
  using data = createTemporaryDirectory();
  await using run = start(data.path);
  const first = createApiClient({ url: await urlOf(run), connections: 1 });
  const registered = await first.call<{ user: { id: string } }>(register, account);
  const postgres = await pidOf(data.path);
  await run.kill('SIGKILL');
  await hasEnded(postgres);
  await first.close().catch(() => undefined);

  await using again = start(data.path);
  const second = createApiClient({ url: await urlOf(again), connections: 1 });
  expect(await second.call(login, { username: account.username, password: account.password })).toEqual({ user: registered.user, errors: [] });
  await second.close();
});

test('a configuration that is wrong is refused in words, before anything starts', async () => {
  await using run = startProcess({ command: process.execPath, args: [formwire, 'start'], env: { PORT: 'http', FORMWIRE_LEASE: 'soon' } });
  await run.says('PORT: must be a number');
  await run.says('FORMWIRE_LEASE: "soon" is no duration');
  expect(await run.exited).toBe(1);
});
