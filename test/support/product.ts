import { generateKeyPairSync } from 'node:crypto';
import type { ApiServer } from '../../src/api/server.ts';
import { openApi } from '../../src/bin/compose-api.ts';
import { createApiClient, type ApiClient } from '../../src/bin/demo/api-client.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLog } from '../../src/log.ts';
import { createTestDatabase } from './database.ts';
import { startTestNats, type TestNats } from './nats.ts';
import { fastSettings, startPipeline, type TestPipeline } from './pipeline.ts';
import { testSealer } from './sealer.ts';

/** The whole product in this process, on servers of its own, with an account logged in. */
export interface TestProduct extends AsyncDisposable {
  url: string;
  databaseUrl: string;
  nats: TestNats;
  pipeline: TestPipeline;
  /** Logged in as the owner of an organisation. */
  api: ApiClient;
  /** What `api` is logged in with. */
  token: string;
  /** A client of nobody's. */
  stranger: ApiClient;
  /** Stops the API as a process does on SIGTERM, and starts it anew. */
  restartApi(): Promise<void>;
}

export async function startProduct(settings: Record<string, string> = {}): Promise<TestProduct> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const nats = stack.use(await startTestNats());
  const pipeline = stack.use(startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings }));
  const privateKeyPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const open = async (port: string): Promise<{ server: ApiServer; url: string }> => {
    const config = parseConfig({ ...fastSettings, ...settings, PORT: port });
    const server = await openApi({ config, databaseUrl: database.url, privateKeyPem, sealer: testSealer, pipeline, allowLoopback: true, log: silentLog });
    return { server, ...(await server.listen()) };
  };
  let running = await open('0');
  stack.defer(() => running.server.close());
  const restartApi = async (): Promise<void> => {
    await running.server.close();
    running = await open(new URL(url).port);
  };
  const { url } = running;
  const [api, stranger] = [createApiClient({ url, connections: 32 }), createApiClient({ url, connections: 4 })];
  stack.defer(async () => void (await Promise.all([api.close(), stranger.close()])));
  const { token } = await api.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', {
    username: 'owner',
    email: 'owner@example.org',
    password: 'correct horse battery',
  });
  api.login(token);
  return { url, restartApi, databaseUrl: database.url, nats, pipeline, api, token, stranger, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}
