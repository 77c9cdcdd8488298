import { generateKeyPairSync } from 'node:crypto';
import { globSync } from 'node:fs';
import { expect, test } from 'vitest';
import { createApiClient } from '../../src/bin/demo/api-client.ts';
import { householdResponses } from '../../src/bin/demo/household.ts';
import { readComposeFile, readRepository, repository, type Service } from '../support/compose-file.ts';
import { createEmptyDatabase } from '../support/database.ts';
import { readStages } from '../support/dockerfile.ts';
import { freePort } from '../support/free-port.ts';
import { buildImage, type Image } from '../support/image.ts';
import { startTestNats } from '../support/nats.ts';
import { startProcess, type NodeProcess } from '../support/node-process.ts';
import { connectWebhook, createHousehold, registerOwner } from '../support/product-calls.ts';
import { startReceiver, verifySignature } from '../support/receiver.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const { services } = readComposeFile({
  FORMWIRE_JWT_KEY: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
  FORMWIRE_SECRETS_KEY: Buffer.alloc(32, 'image').toString('base64'),
  POSTGRES_PASSWORD: 'of a server that is not here',
  GRAFANA_PASSWORD: '',
});

/** A container of the image: with what compose gives it, but for where the servers are, and nothing of this process's. */
function startContainer(image: Image, { environment = {} }: Service, own: Record<string, string>): NodeProcess {
  const [, ...args] = [...image.entrypoint, ...image.command];
  const given = Object.fromEntries(Object.entries(environment).map(([name, value]) => [name, String(value)]));
  return startProcess({ command: process.execPath, args, cwd: image.directory, env: { ...image.environment, ...given, ...own } });
}

const filesOf = ({ directory }: Image): string[] => globSync('**', { cwd: directory, exclude: (name) => name === 'node_modules' }).toSorted();

test('what the Dockerfile makes starts on an empty database, two at a time, delivers, and writes nothing beside it', { timeout: 300_000 }, async () => {
  using directory = createTemporaryDirectory();
  const image = buildImage(readStages(readRepository('ops/Dockerfile')), { context: repository, directory: directory.path });
  expect(image.entrypoint[0]).toBe('node');
  const files = filesOf(image);
  expect(files.length).toBeGreaterThan(300);

  await using database = await createEmptyDatabase();
  await using nats = await startTestNats();
  await using receiver = await startReceiver();
  const servers = { HOST: '127.0.0.1', DATABASE_URL: database.url, NATS_URL: nats.url, FORMWIRE_STREAM_REPLICAS: '1', FORMWIRE_ALLOW_LOOPBACK: 'true' };
  const [port, probePort] = [await freePort(), await freePort()];
  await using api = startContainer(image, services['api'] ?? {}, { ...servers, PORT: String(port) });
  await using dispatcher = startContainer(image, services['dispatcher'] ?? {}, { ...servers, FORMWIRE_PROBE_PORT: String(probePort) });
  await Promise.all([api, dispatcher].map((one) => one.says('formwire.started')));

  const client = createApiClient({ url: `http://127.0.0.1:${port}`, connections: 1 });
  await registerOwner(client);
  const formId = await createHousehold(client);
  const { secret } = await connectWebhook(client, { formId, url: receiver.url });
  const [response = {}] = householdResponses(formId);
  await client.call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', response);
  const [request] = await receiver.waitFor(1);
  verifySignature(request, secret);
  await client.close();

  for (const one of [api, dispatcher]) {
    await one.kill('SIGTERM');
    expect(await one.exited).toBe(0);
  }
  expect(filesOf(image)).toEqual(files);
});
