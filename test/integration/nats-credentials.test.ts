import { rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { nkeys } from '@nats-io/transport-node';
import { expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { readCredentials } from '../../src/stream/credentials.ts';
import { openLink } from '../../src/stream/link.ts';
import { runFormwire } from '../support/command.ts';
import { createTestDatabase } from '../support/database.ts';
import { createOperator, startGuardedNats } from '../support/guarded-nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, type TestPipeline } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const nkeyOf = (user: ReturnType<typeof nkeys.createUser>): string => `authorization { users: [{ nkey: ${user.getPublicKey()} }] }`;
const seedOf = (user: ReturnType<typeof nkeys.createUser>): string => `${Buffer.from(user.getSeed()).toString()}\n`;

const isReady = (pipeline: TestPipeline) => expect.poll(async () => (await pipeline.readiness()).reasons, { timeout: 15_000 });

test('credentials of a user of an account let every part of the way in, and the command line', async () => {
  await using database = await createTestDatabase();
  await using receiver = await startReceiver();
  using folder = createTemporaryDirectory();
  const operator = createOperator();
  await using nats = await startGuardedNats(operator.configuration);
  const file = path.join(folder.path, 'formwire.creds');
  writeFileSync(file, operator.createUser());
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: receiver.url });
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_NATS_CREDENTIALS: file } });
  await submitHousehold(pipeline, { formId: form.formId, count: 3 });
  await waitForTally(pipeline.pool, { outbox: 0, delivered: 3 });

  const env = { DATABASE_URL: database.url, NATS_URL: nats.url, PORT: '1' };
  expect((await runFormwire(['status', '--json'], { ...env, FORMWIRE_NATS_CREDENTIALS: file })).json.stream).toMatchObject({ stream: { messages: 3 } });
  expect((await runFormwire(['status', '--json'], env)).json.stream).toMatchObject({ trouble: expect.stringMatching(/authorization/i) });
});

test('who is sent away reads the seed of an nkey anew until it is let in, whatever stood in the file meanwhile', { timeout: 40_000 }, async () => {
  await using database = await createTestDatabase();
  using folder = createTemporaryDirectory();
  const file = path.join(folder.path, 'formwire.nk');
  const [before, after] = [nkeys.createUser(), nkeys.createUser()];
  await using nats = await startGuardedNats(nkeyOf(before));
  writeFileSync(file, seedOf(before));
  await using pipeline = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_NATS_CREDENTIALS: file } });
  await isReady(pipeline).toEqual([]);
  await nats.guardBy(nkeyOf(after));
  await isReady(pipeline).not.toEqual([]);
  rmSync(file);
  await expect.poll(() => nats.refusals(), { timeout: 15_000 }).toBeGreaterThan(12); // by each of three connections more than twice
  writeFileSync(file, seedOf(after));
  await isReady(pipeline).toEqual([]);
});

test('a link that is not let in for a while says so and why, and that it is back, once, however often it tried', { timeout: 30_000 }, async () => {
  const lines: string[] = [];
  const [before, after] = [nkeys.createUser(), nkeys.createUser()];
  using folder = createTemporaryDirectory();
  const file = path.join(folder.path, 'formwire.nk');
  writeFileSync(file, seedOf(before));
  await using nats = await startGuardedNats(nkeyOf(before));
  const link = openLink({ url: nats.url, credentialsFile: file, name: 'test', log: createLog('info', { write: (line) => void lines.push(line) }) });
  const signal = new AbortController().signal;
  let reconnections = 0;
  link.onReconnected(() => (reconnections += 1), signal);
  await link.opened(signal);
  await nats.guardBy(nkeyOf(after));
  await expect.poll(() => nats.refusals(), { timeout: 15_000 }).toBeGreaterThan(3);
  writeFileSync(file, seedOf(after));
  await expect.poll(() => link.connected(), { timeout: 15_000 }).toBeDefined();
  await link.close();
  expect(reconnections).toBe(1);
  expect(lines.map((line) => JSON.parse(line))).toEqual([
    expect.objectContaining({ event: 'stream.disconnected', link: 'test' }),
    expect.objectContaining({ event: 'stream.refused', link: 'test', err: expect.objectContaining({ message: 'Authorization Violation' }) }),
    expect.objectContaining({ event: 'stream.reconnected', link: 'test' }),
  ]);
});

test('a file that is none is named before anything starts, and nothing of what is in it', async () => {
  using folder = createTemporaryDirectory();
  const file = path.join(folder.path, 'formwire.creds');
  writeFileSync(file, 'SUAsecret');
  const start = await runFormwire(['start'], { NATS_URL: 'nats://127.0.0.1:1', FORMWIRE_DATA: folder.path, PORT: '0', FORMWIRE_NATS_CREDENTIALS: file });
  expect(start).toMatchObject({ code: 1, stderr: `formwire: ${file} of FORMWIRE_NATS_CREDENTIALS holds neither credentials of NATS nor the seed of a user.\n` });
  rmSync(file);
  expect(() => readCredentials(file)).toThrow(`${file} of FORMWIRE_NATS_CREDENTIALS cannot be read (ENOENT).`);
  writeFileSync(file, createOperator().createUser().replace(/SU[A-Z2-7]{56}/, (seed) => `${seed.slice(0, -4)}AAAA`));
  expect(() => readCredentials(file)).toThrow('holds neither');
});
