import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import path from 'node:path';
import { describe, inject, expect, test } from 'vitest';
import { createApiClient, type ApiClient } from '../../src/bin/demo/api-client.ts';
import { hasEnded } from '../support/conditions.ts';
import { freePort } from '../support/free-port.ts';
import { startProcess, type NodeProcess } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const formwire = path.resolve(import.meta.dirname, '../../src/bin/formwire.ts');
const demo = path.resolve(import.meta.dirname, '../../src/bin/demo.ts');

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
const login = `mutation ($input: LoginInput!) { login(input: $input) { token user { id } errors { message } } }`;
const connect = `mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }`;
const update = `mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { id } errors { message } } }`;
const rotate = `mutation ($input: RotateSecretInput!) { rotateSecret(input: $input) { secret errors { message } } }`;
const account = { username: 'ada', email: 'ada@example.org', password: 'correct horse battery' };

async function loginTo(api: ApiClient): Promise<void> {
  const { token } = await api.call<{ token: string }>(login, { username: account.username, password: account.password });
  api.login(token);
}

/** Starts it, and stops it when this is done. */
async function whileRunning<T>(dataDir: string, work: (api: ApiClient) => Promise<T>): Promise<T> {
  await using run = start(dataDir);
  const api = createApiClient({ url: await urlOf(run), connections: 1 });
  try {
    return await work(api);
  } finally {
    await api.close();
    await run.kill('SIGTERM');
  }
}

test('one command serves, says where, and tells what to try next', async () => {
  using data = createTemporaryDirectory();
  await using run = start(data.path);
  const url = await urlOf(run);
  await run.says(`data in ${data.path}`);
  await run.says(`PORT=${new URL(url).port} npm run demo`);
  const all = { ready: true, reasons: [] };
  const body = { ...all, roles: { api: all, relay: all, dispatcher: all } };
  await expect.poll(() => get(`${url}/readyz`)).toEqual({ status: 200, body });
  expect(await get(`${url}/livez`)).toMatchObject({ status: 200 });
  await run.kill('SIGTERM');
  expect(await run.exited).toBe(0);
});

test('a second start on the same data says that one is running, and harms nothing', async () => {
  using data = createTemporaryDirectory();
  await using run = start(data.path);
  const url = await urlOf(run);
  await using second = start(data.path);
  await second.says(/already running on the data directory .* set FORMWIRE_DATA and PORT/);
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
  expect(await second.call(login, { username: account.username, password: account.password })).toMatchObject({ user: registered.user, errors: [] });
  await second.close();
});

test('without the key of the secrets it has, it does not start, and says what to do; their owners can do without them', async () => {
  using data = createTemporaryDirectory();
  const keyFile = path.join(data.path, 'secrets-key');
  const id = await whileRunning(data.path, async (api) => {
    await api.call(register, account);
    await loginTo(api);
    const { integration } = await api.call<{ integration: { id: string } }>(connect, { settings: { webhook: { url: 'http://127.0.0.1:1/', headers: [{ name: 'x-token', value: 'old' }] } } });
    return integration.id;
  });
  rmSync(keyFile);

  await using refused = start(data.path);
  expect(await refused.exited).toBe(1);
  const [sentence] = await refused.says(/^formwire: The key is missing [^\n]*\n$/);
  for (const part of ['(of 1 integration)', `${keyFile} is not there`, 'set FORMWIRE_SECRETS_KEY', `openssl rand -base64 32 > ${keyFile}`]) expect(sentence).toContain(part);
  expect(existsSync(keyFile)).toBe(false);

  writeFileSync(keyFile, randomBytes(32).toString('base64'));
  await whileRunning(data.path, async (api) => {
    await loginTo(api);
    await api.call(update, { id, settings: { webhook: { url: 'http://127.0.0.1:2/', headers: [{ name: 'x-token', value: 'new' }] } } });
    await api.call(rotate, { id, keepOldFor: '0s' });
  });
});

test('a configuration that is wrong is refused in words, before anything starts', async () => {
  await using run = startProcess({ command: process.execPath, args: [formwire, 'start'], env: { PORT: 'http', FORMWIRE_LEASE: 'soon' } });
  await run.says('PORT: must be a number');
  await run.says('FORMWIRE_LEASE: "soon" is no duration');
  expect(await run.exited).toBe(1);
});

describe('what is in the way of a start is said in one sentence, without a stack or a password', () => {
  test.each([
    ['a HOST of another machine', { HOST: '192.0.2.1' }, 'HOST 192.0.2.1 is no address of this machine'],
    ['a key that is none', { FORMWIRE_JWT_KEY: 'secret' }, 'FORMWIRE_JWT_KEY is no Ed25519 private key in PEM; make one with: openssl'],
    ['a database that is not there', { DATABASE_URL: 'postgresql://ada:hunter2@127.0.0.1:1/x', FORMWIRE_ROLES: 'relay' }, 'PostgreSQL of DATABASE_URL (127.0.0.1:1) cannot be reached'],
    ['a data directory that is a file', { FORMWIRE_DATA: formwire }, `The data directory ${formwire} cannot be written`],
    ['the same without the API', { FORMWIRE_DATA: formwire, FORMWIRE_ROLES: 'relay' }, 'cannot be written: start Formwire as the user who owns it'],
  ])('%s', async (_, env, sentence) => {
    await using run = startProcess({ command: process.execPath, args: [formwire, 'start'], env: { PORT: '0', FORMWIRE_PROBE_PORT: '0', ...env } });
    expect(await run.exited).toBe(1);
    expect((await run.says(/^formwire: [^\n]*\n$/))[0]).toContain(sentence);
    await run.says(/^(?![^]*hunter2)/);
  });

  test('a port in use, before any server starts', async () => {
    using data = createTemporaryDirectory();
    await using holder = await listening();
    await using run = startProcess({ command: process.execPath, args: [formwire, 'start'], env: { PORT: String(holder.port), FORMWIRE_DATA: data.path } });
    await run.says(`Port ${holder.port} is in use, perhaps by another Formwire: stop it, or set PORT.`);
    expect(await run.exited).toBe(1);
    expect(existsSync(path.join(data.path, 'postgres'))).toBe(false);
  });
});

describe('the demo', () => {
  test.each([
    [['--fail', '0.95'], {}, '--fail must be between 0 and 0.9'],
    [['--responses', '501'], {}, '--responses must be between 1 and 500'],
    [['--fial', '0.5'], {}, 'The demo does not know --fial'],
    [[], { PORT: '0' }, 'PORT=0 takes any free port'],
  ])('refuses %o %o in words', async (args, env, sentence) => {
    await using run = startProcess({ command: process.execPath, args: [demo, ...args], env });
    expect(await run.exited).toBe(1);
    expect((await run.says(/^demo: [^\n]*\n$/))[0]).toContain(sentence);
  });

  test('does not take another program for a Formwire', async () => {
    await using other = await listening();
    await using run = startProcess({ command: process.execPath, args: [demo], env: { PORT: String(other.port) } });
    expect(await run.exited).toBe(1);
    await run.says(`What answers at http://127.0.0.1:${other.port} is no Formwire`);
  });

  test('does not pretend that a Formwire which runs already can be led to its simulators', async () => {
    await using other = await listening('{"status":"ok"}');
    await using run = startProcess({ command: process.execPath, args: [demo, '--sheets'], env: { PORT: String(other.port) } });
    expect(await run.exited).toBe(1);
    await run.says(`The Formwire at http://127.0.0.1:${other.port} runs already`);
  });

  test('starts a Formwire, and shows the way of responses to a webhook, a sheet and respondents', async () => {
    using data = createTemporaryDirectory();
    const port = await freePort();
    const env = { FORMWIRE_DATA: data.path, PORT: String(port), FORMWIRE_NATS_SERVER: inject('natsServerBinary') };
    await using run = startProcess({ command: process.execPath, args: [demo, '--sheets', '--sms', '--responses', '40'], env });
    expect(await run.exited).toBe(0);
    await run.says(/What is your name\? +│/);
    await run.says(/\+9198\d+ │ delivered │ Thank you /);
    await run.says(/submitted +40\n/);
    const [, flagged] = await run.says(/flagged +(\d+): \d+ by /);
    await run.says(/delivered +40\n/);
    const [, verified, requests] = await run.says(/verified +(\d+) of (\d+) requests/);
    expect(verified).toBe(requests);
    await run.says(/rows +40\n/);
    const sent = 40 - Number(flagged);
    await run.says(`${sent} to ${sent} numbers: ${sent} delivered`);
  }, 180_000);
});

/** Some other program's server. */
async function listening(answer = '{"status":"fine"}'): Promise<{ port: number } & AsyncDisposable> {
  const server = createServer((_, response) => response.end(answer));
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return { port, [Symbol.asyncDispose]: async () => void server.close() };
}

test('it stops also when the terminal it wrote to is gone', async () => {
  using data = createTemporaryDirectory();
  // a shell reads the first lines, as `head` does, and goes away; what is written after that has no reader
  const source = `
    const { spawn } = require('node:child_process');
    const env = ${JSON.stringify({ FORMWIRE_DATA: data.path, PORT: '0', FORMWIRE_NATS_SERVER: inject('natsServerBinary'), FORMWIRE_LOG_LEVEL: 'debug' })};
    const child = spawn(process.execPath, [${JSON.stringify(formwire)}, 'start'], { stdio: ['ignore', 'pipe', 'pipe'], env });
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
      if (!output.includes('formwire.started')) return;
      child.stdout.destroy();
      child.stderr.destroy();
      child.kill('SIGTERM');
    });
    child.on('exit', (code) => console.log('ended with ' + code));
  `;
  await using run = startProcess({ command: process.execPath, args: ['--eval', source], env: process.env });
  await run.says('ended with 0');
});
