import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { defineCommand } from 'citty';
import { providerNamed } from '../../integrations/index.ts';
import { checkAddress } from '../api/listening.ts';
import type { ApiServer } from '../api/server.ts';
import { createProbeServer } from '../api/probe-server.ts';
import { localUrl, parseConfig, type Config } from '../config.ts';
import { migrate } from '../db/migrate.ts';
import { resealAll } from '../integrations/reseal.ts';
import { createLog, type Log } from '../log.ts';
import { createMetrics } from '../monitoring/metrics.ts';
import { createSealer } from '../sealing.ts';
import { readCredentials } from '../stream/credentials.ts';
import type { Tracing } from '../tracing/tracing.ts';
import { openApi } from './compose-api.ts';
import { heartbeatOf, openPipeline, stateOf } from './compose.ts';
import { noteRunning } from './running.ts';
import { lacksSealingKey, sealingKeys } from './sealing-keys.ts';
import { sealingKeysOfStart } from './sealing-keys-of-start.ts';
import { openServers, type Servers } from './servers.ts';
import { oldKeys, signingKey } from './signing-key.ts';
import { boundStop, stopBoundMs, stopOnSignals } from './stopping.ts';

export const startCommand = defineCommand({
  run: async () => {
    const config = parseConfig(process.env);
    await serve(config, createLog(config.FORMWIRE_LOG_LEVEL));
  },
});

/** Runs this process's roles until a signal, or until an embedded server fails. */
async function serve(config: Config, log: Log): Promise<void> {
  const stopping = new AbortController();
  stopOnSignals(stopping);

  // what a person can mend is asked before anything is begun
  const isApi = config.FORMWIRE_ROLES.includes('api');
  const privateKeyPem = isApi ? signingKey(config) : '';
  // a process that only publishes opens no secrets
  const opensSecrets = isApi || config.FORMWIRE_ROLES.includes('dispatcher');
  if (opensSecrets && !lacksSealingKey(config)) sealingKeys(config);
  if (config.FORMWIRE_NATS_CREDENTIALS !== undefined) readCredentials(config.FORMWIRE_NATS_CREDENTIALS);
  const probeAddress = { host: config.HOST, port: config.FORMWIRE_PROBE_PORT, portVariable: 'FORMWIRE_PROBE_PORT' };
  await checkAddress(isApi ? { host: config.HOST, port: config.PORT } : probeAddress);

  await using stack = new AsyncDisposableStack();
  const servers = await openServers(config);
  stack.defer(() => servers.stop());
  const bound = stack.use(new DisposableStack()); // not of the embedded servers, which have their own
  const newer = await migrate(servers.databaseUrl, { onBlocked: (blocked) => log.warn(blocked, 'migration.blocked') });
  if (newer.length > 0) log.warn({ migrations: newer }, 'schema.newer');
  const sealer = createSealer(opensSecrets ? await sealingKeysOfStart(config, servers.databaseUrl) : [randomBytes(32)]);
  await servers.takeOver(log);

  const allowLoopback = config.FORMWIRE_ALLOW_LOOPBACK ?? config.DATABASE_URL === undefined;
  const metrics = createMetrics({ config, log });
  const tracing = await openTracing(config, log);
  stack.defer(() => tracing?.close());
  const pipeline = openPipeline({ config, databaseUrl: servers.databaseUrl, natsUrl: servers.natsUrl, sealer, allowLoopback, log, hooks: metrics.hooks, tracing });
  stack.defer(() => pipeline.close());
  if (isApi) await resealAll({ pool: pipeline.pool, sealer, providerNamed, log });
  let url = '';
  const heartbeat = heartbeatOf(pipeline, { roles: config.FORMWIRE_ROLES, url: () => url, log });
  stack.defer(() => heartbeat.leave());
  if (!isApi) {
    const probes = createProbeServer({ address: probeAddress, readiness: pipeline.readiness, metrics: metrics.render, metricsTokens: config.FORMWIRE_METRICS_TOKEN, log });
    stack.defer(() => probes.close()); // when the rest has ended: until then it says that it stops
    ({ url } = await probes.listen());
    log.info({ url }, 'probes.listening');
  }
  let running: Promise<unknown> = Promise.resolve();
  stack.defer(async () => {
    stopping.abort();
    await running;
  });

  // who cannot have the port takes no partitions
  let api: ApiServer | undefined;
  if (isApi) {
    api = await openApi({ config, databaseUrl: servers.databaseUrl, privateKeyPem, oldKeyPems: oldKeys(config), pipeline, sealer, allowLoopback, log, metrics, tracing });
    stack.defer(api.close);
    ({ url } = await api.listen());
  }
  const watching = metrics.watch({ ...stateOf(pipeline), subscribers: api?.subscribers });
  running = Promise.all([...pipeline.runnables, ...watching, heartbeat].map((runnable) => runnable.run(stopping.signal)));
  if (servers.embedded.length > 0) stack.use(noteRunning(config, { databaseUrl: servers.databaseUrl, natsUrl: servers.natsUrl, apiUrl: isApi ? localUrl({ HOST: config.HOST, PORT: Number(new URL(url).port || 80) }) : undefined }));
  if (isApi) greet({ host: config.HOST, port: Number(new URL(url).port || 80), servers, allowLoopback });
  log.info({ roles: config.FORMWIRE_ROLES }, 'formwire.started');

  const stopped = new Promise<void>((resolve) => {
    if (stopping.signal.aborted) resolve();
    else stopping.signal.addEventListener('abort', () => resolve(), { once: true });
  });
  await Promise.race([stopped, servers.failed, running]);
  const boundMs = stopBoundMs(config);
  log.info({ boundMs }, 'formwire.stopping');
  bound.use(boundStop({ boundMs, log, exit: (code) => process.exit(code) }));
  pipeline.leave();
  api?.leave();
  if (api && stopping.signal.aborted) await sleep(config.FORMWIRE_STOP_DELAY);
}

/** Loaded only where there is somebody to send traces to. */
async function openTracing({ OTEL_EXPORTER_OTLP_ENDPOINT: endpoint, FORMWIRE_TRACE_SHARE: share, FORMWIRE_ROLES: roles }: Config, log: Log): Promise<Tracing | undefined> {
  if (endpoint === undefined) return undefined;
  const tracing = await import('../tracing/tracing.ts');
  return tracing.openTracing({ endpoint, share, roles, log });
}

/** Tells a person where everything is, and what to try; programs read the log lines. */
function greet(facts: { host: string; port: number; servers: Servers; allowLoopback: boolean }): void {
  const { host, port, servers, allowLoopback } = facts;
  const url = localUrl({ HOST: host, PORT: port });
  const isElsewhere = !['127.0.0.1', '0.0.0.0', 'localhost'].includes(host);
  const demo = `${isElsewhere ? `HOST=${host} ` : ''}${port === 4000 ? '' : `PORT=${port} `}npm run demo`;
  const lines = [
    '',
    `  Formwire listens at ${url}/graphql`,
    ...servers.embedded.map(({ name, dir }) => `  ${name}: embedded, data in ${dir}`),
    ...(allowLoopback ? ['  Webhooks may go to loopback addresses, as fits a machine of your own. FORMWIRE_ALLOW_LOOPBACK=false forbids it.'] : []),
    '',
    '  Try next:',
    `    ${demo.padEnd(28)}  the whole way of 500 responses, with a receiver that fails now and then`,
    `    curl ${url}/readyz`,
    `    curl ${url}/graphql -H 'content-type: application/json' -d '{"query":"{ providers { name title } }"}'`,
    '',
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
}
