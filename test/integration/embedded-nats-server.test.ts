import { chmodSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { jetstream, jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, inject, test } from 'vitest';
import { startNatsServer } from '../../src/embedded/nats-server.ts';
import { identityOf } from '../../src/embedded/running-process.ts';
import { hasEnded } from '../support/conditions.ts';
import { startTestNats } from '../support/nats.ts';
import { startNode } from '../support/node-process.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const binary = inject('natsServerBinary');

const owner = (dir: string) => `
  import { startNatsServer } from ${JSON.stringify(path.resolve('src/embedded/nats-server.ts'))};
  const server = await startNatsServer({ dir: ${JSON.stringify(dir)}, binary: ${JSON.stringify(binary)} });
  console.log('running ' + server.pid);
  setInterval(() => {}, 1000);
`;

test('messages survive an outage on the same port, and not a wiped store', async () => {
  await using nats = await startTestNats();
  await publish(nats.url, new Uint8Array(1));
  await nats.stop();
  await nats.start();
  expect(await countMessages(nats.url)).toBe(1);
  await nats.stop();
  nats.wipeStore();
  await nats.start();
  await expect(countMessages(nats.url)).rejects.toThrow('stream not found');
});

test('a message of 1 MiB with headers fits', async () => {
  await using nats = await startTestNats();
  await publish(nats.url, new Uint8Array(1024 * 1024 + 64 * 1024));
  expect(await countMessages(nats.url)).toBe(1);
});

test('a second start on the same store is refused while the first runs', async () => {
  using dir = createTemporaryDirectory();
  const first = await startNatsServer({ dir: dir.path, binary });
  await expect(startNatsServer({ dir: dir.path, binary })).rejects.toThrow(`process ${process.pid}) is already running on the data directory`);
  await first.stop();
  await first.stop();
  await hasEnded(first.pid);
});

test('a port that is taken is told from the server’s own words, and the directory is free again', async () => {
  using dir = createTemporaryDirectory();
  await using other = await startTestNats();
  await expect(startNatsServer({ dir: dir.path, binary, port: other.port })).rejects.toThrow('address already in use');
  await (await startNatsServer({ dir: dir.path, binary })).stop();
});

test('it ends when the process that started it is killed', async () => {
  using dir = createTemporaryDirectory();
  await using process = startNode(owner(dir.path));
  const pid = Number((await process.says(/running (\d+)/))[1]);
  await process.kill('SIGKILL');
  await hasEnded(pid);
});

test('what a killed owner left running is ended before the next start touches the store', async () => {
  using dir = createTemporaryDirectory();
  await using process = startNode(owner(dir.path));
  const pid = Number((await process.says(/running (\d+)/))[1]);
  // A stopped server cannot obey the signal that it gets at its owner's death.
  global.process.kill(pid, 'SIGSTOP');
  await process.kill('SIGKILL');
  const resume = setTimeout(() => global.process.kill(pid, 'SIGCONT'), 100);
  const next = await startNatsServer({ dir: dir.path, binary });
  clearTimeout(resume);
  expect(identityOf(pid)).toBeUndefined();
  await next.stop();
});

test('an explicit binary that is too old is refused in a sentence', async () => {
  using dir = createTemporaryDirectory();
  const old = path.join(dir.path, 'nats-server');
  writeFileSync(old, '#!/bin/sh\necho "nats-server: v2.8.4"\n');
  chmodSync(old, 0o755);
  await expect(startNatsServer({ dir: dir.path, binary: old })).rejects.toThrow('is not a nats-server of version 2.9 or newer that runs here');
});

async function publish(url: string, body: Uint8Array): Promise<void> {
  const connection = await connect({ servers: url });
  try {
    await (await jetstreamManager(connection)).streams.add({ name: 'KEPT', subjects: ['kept'] });
    await jetstream(connection).publish('kept', body);
  } finally {
    await connection.close();
  }
}

async function countMessages(url: string): Promise<number> {
  const connection = await connect({ servers: url });
  try {
    return (await (await jetstreamManager(connection)).streams.info('KEPT')).state.messages;
  } finally {
    await connection.close();
  }
}
