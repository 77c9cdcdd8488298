import { generateKeyPairSync } from 'node:crypto';
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import path from 'node:path';
import { expect } from 'vitest';
import { createApiClient, type ApiClient } from '../../src/bin/demo/api-client.ts';
import type { Role } from '../../src/config.ts';
import { endingWithParent } from '../../src/embedded/child-process.ts';
import { createTestDatabase } from './database.ts';
import { freePort } from './free-port.ts';
import { startNatsCluster, type NatsCluster, type NatsUser } from './nats-cluster.ts';
import { fastSettings } from './pipeline.ts';
import { registerOwner } from './product-calls.ts';

/** A Formwire in a process of its own, at the same port over its ends. */
export interface FormwireProcess {
  name: string;
  /** Of the API, or of the probes where it has none. */
  url: string;
  /** With other variables than before, if some are given; they stay. */
  start(change?: Record<string, string>): void;
  /** Resolves when it says that it can do its work. */
  ready(): Promise<void>;
  kill(): Promise<void>;
  /** SIGTERM; answers the exit code. */
  stop(): Promise<number | null>;
  /** What it said so far, the last 100,000 characters. */
  output(): string;
}

/** Formwire as it runs for real: roles in processes of their own, several of each, a cluster of NATS, one PostgreSQL. */
export interface Installation extends AsyncDisposable {
  databaseUrl: string;
  /** What every process of it is given, and a command may be. */
  env: Record<string, string>;
  nats: NatsCluster;
  apis: FormwireProcess[];
  dispatchers: FormwireProcess[];
  /** A client of the first API, logged in as the owner of an organisation. */
  owner: ApiClient;
  token: string;
}

const program = path.resolve(import.meta.dirname, '../../src/bin/formwire.ts');

export async function startInstallation(options: { apis?: number; dispatchers?: number; natsServers?: number; settings?: Record<string, string>; databaseUrl?: string; natsUsers?: NatsUser[] } = {}): Promise<Installation> {
  const { apis = 2, dispatchers = 2, natsServers = 3, settings = {} } = options;
  const stack = new AsyncDisposableStack();
  try {
    const databaseUrl = options.databaseUrl ?? stack.use(await createTestDatabase()).url;
    const nats = stack.use(await startNatsCluster(natsServers, options.natsUsers));
    const { privateKey } = generateKeyPairSync('ed25519');
    const env = {
      ...fastSettings,
      DATABASE_URL: databaseUrl,
      NATS_URL: nats.url,
      FORMWIRE_JWT_KEY: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      FORMWIRE_SECRETS_KEY: Buffer.alloc(32, 'installation').toString('base64'),
      FORMWIRE_ALLOW_LOOPBACK: 'true',
      FORMWIRE_STREAM_REPLICAS: String(natsServers),
      FORMWIRE_RATE_USER: '100000:1000000',
      ...settings,
    };
    const open = async (kind: string, count: number, roles: Role[]): Promise<FormwireProcess[]> => {
      const opened = await Promise.all(Array.from({ length: count }, (_, index) => openProcess({ name: `${kind}-${index + 1}`, roles, env })));
      for (const one of opened) stack.defer(() => one.kill());
      return opened;
    };
    const running = { apis: await open('api', apis, ['api', 'relay']), dispatchers: await open('dispatcher', dispatchers, ['dispatcher']) };
    const all = [...running.apis, ...running.dispatchers];
    for (const one of all) one.start();
    await Promise.all(all.map((one) => one.ready()));
    const owner = createApiClient({ url: running.apis[0]?.url ?? '', connections: 4 });
    stack.defer(() => owner.close());
    const token = await registerOwner(owner);
    return { databaseUrl, env, nats, ...running, owner, token, [Symbol.asyncDispose]: () => stack.disposeAsync() };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

async function openProcess({ name, roles, env }: { name: string; roles: Role[]; env: Record<string, string> }): Promise<FormwireProcess> {
  const port = await freePort();
  let own: Record<string, string | undefined> = { PATH: process.env['PATH'], ...env, FORMWIRE_ROLES: roles.join(','), [roles.includes('api') ? 'PORT' : 'FORMWIRE_PROBE_PORT']: String(port) };
  const [command = '', ...args] = endingWithParent('SIGKILL', [process.execPath, program, 'start']);
  const url = `http://127.0.0.1:${port}`;
  let child: ChildProcess | undefined;
  let output = '';
  const end = async (signal: NodeJS.Signals): Promise<number | null> => {
    if (!child || child.exitCode !== null || child.signalCode !== null) return child?.exitCode ?? null;
    const exited = once(child, 'exit');
    child.kill(signal);
    await exited;
    return child.exitCode;
  };
  return {
    name,
    url,
    start: (change = {}) => {
      own = { ...own, ...change };
      child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'], env: own });
      for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk: Buffer) => (output = (output + chunk.toString()).slice(-100_000)));
    },
    ready: () => expect.poll(() => fetch(`${url}/readyz`).then((answer) => answer.status, () => `not yet: ${output.slice(-500)}`), { timeout: 60_000, interval: 50 }).toBe(200),
    kill: async () => void (await end('SIGKILL')),
    stop: () => end('SIGTERM'),
    output: () => output,
  };
}
