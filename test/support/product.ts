import { generateKeyPairSync } from 'node:crypto';
import type { ApiServer } from '../../src/api/server.ts';
import { openApi } from '../../src/bin/compose-api.ts';
import { createApiClient, type ApiClient } from '../../src/bin/demo/api-client.ts';
import { heartbeatOf, stateOf } from '../../src/bin/compose.ts';
import { parseConfig } from '../../src/config.ts';
import { silentLog, type Log } from '../../src/log.ts';
import { createMetrics } from '../../src/monitoring/metrics.ts';
import type { Runnable } from '../../src/run.ts';
import type { Tracing } from '../../src/tracing/tracing.ts';
import { createTestDatabase } from './database.ts';
import { startTestNats, type TestNats } from './nats.ts';
import { fastSettings, startPipeline, type TestPipeline } from './pipeline.ts';
import { registerOwner } from './product-calls.ts';
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
  /** Stops the API as a process does on SIGTERM, and starts it anew; `meanwhile` nobody listens. */
  restartApi(meanwhile?: () => Promise<void>): Promise<void>;
}

export async function startProduct(settings: Record<string, string> = {}, { log = silentLog, tracing }: { log?: Log; tracing?: Tracing } = {}): Promise<TestProduct> {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const nats = stack.use(await startTestNats());
  const config = parseConfig({ ...fastSettings, ...settings });
  const metrics = createMetrics({ config, log });
  const pipeline = stack.use(startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings, log, hooks: metrics.hooks, tracing }));
  const heartbeat = heartbeatOf(pipeline, { roles: config.FORMWIRE_ROLES, url: () => running.url, log });
  stack.defer(() => heartbeat.leave());
  stack.defer(runWhile(metrics.watch({ ...stateOf(pipeline), subscribers: () => running.server.subscribers() })));
  const privateKeyPem = generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  const open = async (port: string): Promise<{ server: ApiServer; url: string }> => {
    const server = await openApi({ config: { ...config, PORT: Number(port) }, databaseUrl: database.url, privateKeyPem, sealer: testSealer, pipeline, allowLoopback: true, log, metrics, tracing });
    return { server, ...(await server.listen()) };
  };
  let running = await open(settings['PORT'] ?? '0');
  stack.defer(() => running.server.close());
  stack.defer(runWhile([heartbeat]));
  const restartApi = async (meanwhile?: () => Promise<void>): Promise<void> => {
    await running.server.close();
    await meanwhile?.();
    running = await open(new URL(url).port);
  };
  const { url } = running;
  const [api, stranger] = [createApiClient({ url, connections: 32 }), createApiClient({ url, connections: 4 })];
  stack.defer(async () => void (await Promise.all([api.close(), stranger.close()])));
  const token = await registerOwner(api);
  return { url, restartApi, databaseUrl: database.url, nats, pipeline, api, token, stranger, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

/** Runs until the answered function is called. */
function runWhile(runnables: readonly Runnable[]): () => Promise<void> {
  const stopping = new AbortController();
  const running = Promise.all(runnables.map((runnable) => runnable.run(stopping.signal)));
  return async () => {
    stopping.abort();
    await running;
  };
}
