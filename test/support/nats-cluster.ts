import './provided.ts';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { expect, inject } from 'vitest';
import { spawnServer, type ServerProcess } from '../../src/embedded/child-process.ts';
import { serversOf } from '../../src/stream/link.ts';
import { streamName } from '../../src/stream/topology.ts';
import { freePort } from './free-port.ts';
import { createTemporaryDirectory } from './temporary-directory.ts';

/** One server of a cluster, at the same ports and with the same store over its deaths. */
export interface ClusterServer {
  name: string;
  isRunning(): boolean;
  kill(): Promise<void>;
  /** Gives what it leads to the others, sends its clients away, and ends: takes as long as its configuration says. */
  leave(): Promise<void>;
  start(): void;
  /** As of the cluster. */
  allow(users: readonly NatsUser[]): Promise<void>;
}

/** Whom the servers let in. */
export interface NatsUser {
  user: string;
  password: string;
}

/** nats-servers on loopback with one JetStream. */
export interface NatsCluster extends AsyncDisposable {
  /** Of all its servers, as `NATS_URL` takes them; of the first user, where there are users. */
  url: string;
  urlFor(user: NatsUser): string;
  /** Lets in these and nobody else from now on, as SIGHUP makes a server read its configuration: others are sent away. */
  allow(users: readonly NatsUser[]): Promise<void>;
  servers: ClusterServer[];
  /**
   * Resolves when every server that runs has its JetStream. Not asked is whether each stream and consumer is up to date:
   * the server begins those anew that it finds wanting, and revives a consumer that is being replaced at that moment.
   * Source: nats-io/nats-server, pull request 6362.
   */
  healthy(): Promise<void>;
  /** The server that leads the stream. */
  streamLeader(): Promise<ClusterServer>;
  /** The server that leads the cluster's JetStream as such. */
  metaLeader(): Promise<ClusterServer>;
}

interface Ports {
  client: number;
  route: number;
  monitor: number;
}

/** Servers are told each other's ports before any of them listens: where somebody else was quicker at one, all is done anew. */
export async function startNatsCluster(size = 3, users: readonly NatsUser[] = []): Promise<NatsCluster> {
  for (let tries = 3; ; tries -= 1) {
    const cluster = await openCluster(size, users);
    for (const server of cluster.servers) server.start();
    await cluster.healthy();
    if (cluster.servers.every((server) => server.isRunning())) return cluster;
    await cluster[Symbol.asyncDispose]();
    if (tries === 1) throw new Error('The servers of a NATS cluster do not start.');
  }
}

async function openCluster(size: number, users: readonly NatsUser[]): Promise<NatsCluster> {
  const directory = createTemporaryDirectory();
  const ports: Ports[] = [];
  for (let index = 0; index < size; index += 1) ports.push({ client: await freePort(), route: await freePort(), monitor: await freePort() });
  const servers = ports.map((own, index) => openServer({ directory: directory.path, name: `nats-${index + 1}`, own, routes: ports.map(({ route }) => route), users }));
  const urlWith = (credentials: string): string => ports.map(({ client }) => `nats://${credentials}127.0.0.1:${client}`).join(',');
  const urlFor = ({ user, password }: NatsUser): string => urlWith(`${user}:${password}@`);
  const url = users[0] ? urlFor(users[0]) : urlWith('');
  const named = (name: string | undefined): ClusterServer => {
    const found = servers.find((server) => server.name === name);
    if (!found) throw new Error(`No server of the cluster is named ${String(name)}.`);
    return found;
  };
  const monitored = () => ports.filter((_, index) => servers[index]?.isRunning()).map(({ monitor }) => monitor);

  return {
    url,
    urlFor,
    allow: async (wanted) => void (await Promise.all(servers.map((server) => server.allow(wanted)))),
    servers,
    healthy: () =>
      // asked anew each time: one that could not have its port has ended meanwhile
      expect.poll(async () => (await Promise.all(monitored().map((monitor) => healthOf(`http://127.0.0.1:${monitor}/healthz?js-enabled-only=true`)))).filter((health) => health !== 'ok'), { timeout: 60_000, interval: 100 })
        .toEqual([]),
    streamLeader: async () => named(await streamLeaderOf(url)),
    metaLeader: async () => {
      const answers = await Promise.all(monitored().map((monitor) => fetch(`http://127.0.0.1:${monitor}/jsz`).then((answer) => answer.json())));
      return named((answers as { meta_cluster?: { leader?: string } }[]).map(({ meta_cluster: meta }) => meta?.leader).find((name) => name));
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(servers.map((server) => server.kill()));
      directory[Symbol.dispose]();
    },
  };
}

interface ServerOptions {
  directory: string;
  name: string;
  own: Ports;
  routes: readonly number[];
  users: readonly NatsUser[];
}

/** As it is shipped, but for where it listens and keeps its store, and for whom it lets in. One alone is no cluster. */
function configOf({ directory, name, own, routes, users }: ServerOptions): string {
  const isAlone = routes.length === 1;
  const lines = [
    `include ${JSON.stringify(path.relative(directory, path.resolve(import.meta.dirname, `../../ops/${isAlone ? 'nats' : 'nats-cluster'}.conf`)))}`,
    `listen: "127.0.0.1:${own.client}"`,
    `http: "127.0.0.1:${own.monitor}"`,
    `jetstream { store_dir: ${JSON.stringify(path.join(directory, name))} }`,
    ...(isAlone ? [] : [`cluster { name: formwire, no_advertise: true, listen: "127.0.0.1:${own.route}", routes: ${JSON.stringify(routes.map((port) => `nats://127.0.0.1:${port}`))} }`]),
    ...(users.length > 0 ? [`authorization { users: ${JSON.stringify(users)} }`] : []),
  ];
  return `${lines.join('\n')}\n`;
}

function openServer(options: ServerOptions): ClusterServer {
  const { directory, name, own } = options;
  const config = path.join(directory, `${name}.conf`);
  writeFileSync(config, configOf(options));
  const loadedAt = async (): Promise<string> => ((await (await fetch(`http://127.0.0.1:${own.monitor}/varz`)).json()) as { config_load_time: string }).config_load_time;
  let running: ServerProcess | undefined;
  const end = async (signal: NodeJS.Signals): Promise<void> => {
    await running?.stop(signal, 90_000);
    running = undefined;
  };
  return {
    name,
    isRunning: () => running?.isRunning() ?? false,
    start: () => {
      running = spawnServer({
        commandLine: ['env', `NATS_SERVER_NAME=${name}`, inject('natsServerBinary'), '-c', config],
        user: { kind: 'self' },
        parentDeathSignal: 'SIGKILL',
        logFile: path.join(directory, `${name}.log`),
      });
    },
    kill: () => end('SIGKILL'),
    leave: () => end('SIGUSR2'),
    allow: async (users) => {
      if (!running?.isRunning()) throw new Error(`${name} does not run.`);
      const before = await loadedAt();
      writeFileSync(config, configOf({ ...options, users }));
      process.kill(running.pid, 'SIGHUP');
      await expect.poll(loadedAt, { timeout: 20_000 }).not.toBe(before);
    },
  };
}

/** `ok`, or what it says is wrong. */
async function healthOf(url: string): Promise<string> {
  try {
    const { status, error = status } = (await (await fetch(url)).json()) as { status: string; error?: string };
    return error;
  } catch (error) {
    return String(error);
  }
}

async function streamLeaderOf(url: string): Promise<string | undefined> {
  const connection = await connect(serversOf(url));
  try {
    const manager = await jetstreamManager(connection, { checkAPI: false });
    return (await manager.streams.info(streamName)).cluster?.leader;
  } finally {
    await connection.close();
  }
}
