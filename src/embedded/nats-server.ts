import { mkdirSync, readdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import path from 'node:path';
import { askUntilAnswered, spawnServer, type ServerProcess } from './child-process.ts';
import { lockDataDirectory } from './data-lock.ts';
import { isAtLeast, provideNatsServer, type NatsServerBinary } from './find-nats-server.ts';
import { endProcess, findProcesses } from './running-process.ts';

/** A running nats-server of our own, with JetStream. */
export interface EmbeddedNatsServer {
  url: string;
  port: number;
  pid: number;
  version: string;
  /** Resolves when the server has ended, by `stop` or by itself. */
  exited: Promise<void>;
  /** Writes JetStream's state and ends; the store stays. May be called twice. */
  stop(): Promise<void>;
}

/** A body of 1 MiB, its headers, and room. */
const maxPayloadBytes = 2 * 1024 * 1024;
/** Long, since it reads its store first; a server that cannot start ends by itself and is not waited for. */
const startLimitMs = 120_000;
const stopGraceMs = 30_000;

/**
 * Starts nats-server on loopback with its JetStream store under `dir`, which one Formwire at a time may use (otherwise
 * DataDirectoryBusyError). Without `port` it takes a free one, without `binary` it is found or fetched. It ends with
 * this process, however that dies; what a killed Formwire left running is ended first.
 */
export async function startNatsServer(options: { dir: string; port?: number; binary?: string }): Promise<EmbeddedNatsServer> {
  const binary = await provideNatsServer(options);
  const lock = lockDataDirectory(options.dir); // makes it, or says why it cannot
  const dir = realpathSync(options.dir); // a leftover server is found by its name
  try {
    const config = path.join(dir, 'nats-server.conf');
    const leftovers = findProcesses({ flag: '-c', value: config });
    await Promise.all(leftovers.map((leftover) => endProcess(leftover, 'SIGTERM', stopGraceMs)));
    const portsDir = emptyPortsDir(dir);
    writeFileSync(config, configText({ dir, portsDir, port: options.port, binary }));
    const server = spawnServer({
      commandLine: [binary.path, '-c', config],
      user: { kind: 'self' },
      parentDeathSignal: 'SIGTERM',
      logFile: path.join(dir, 'nats-server.log'),
    });
    const port = await askUntilAnswered(server, () => readyPort(portsDir), startLimitMs);
    if (port === undefined) throw await failedStart(server, dir);
    const stop = async () => {
      await server.stop('SIGTERM', stopGraceMs);
      lock.release();
    };
    return { url: `nats://127.0.0.1:${port}`, port, pid: server.pid, version: binary.version, exited: server.exited, stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

async function failedStart(server: ServerProcess, dir: string): Promise<Error> {
  await server.stop('SIGTERM', stopGraceMs);
  return new Error(`nats-server in ${dir} does not start: ${server.logTail()}`);
}

/** Source: docs.nats.io, "Configuring NATS Server". A port of −1 is any free one. */
function configText(options: { dir: string; portsDir: string; port: number | undefined; binary: NatsServerBinary }): string {
  const { dir, portsDir, port, binary } = options;
  // The default is two minutes. 2.9 does not know the setting and would refuse the file.
  const sync = isAtLeast(binary.version, { major: 2, minor: 10 }) ? '  sync_interval: "10s"\n' : '';
  return [
    'host: 127.0.0.1',
    `port: ${port ?? -1}`,
    `max_payload: ${maxPayloadBytes}`,
    `ports_file_dir: ${JSON.stringify(portsDir)}`,
    `jetstream {\n  store_dir: ${JSON.stringify(path.join(dir, 'store'))}\n${sync}}`,
    '',
  ].join('\n');
}

function emptyPortsDir(dir: string): string {
  const portsDir = path.join(dir, 'ports');
  rmSync(portsDir, { recursive: true, force: true });
  mkdirSync(portsDir, { recursive: true });
  return portsDir;
}

/** The port, as soon as a client is greeted there with JetStream ready. */
async function readyPort(portsDir: string): Promise<number | undefined> {
  const port = announcedPort(portsDir);
  if (port === undefined) return undefined;
  const greeting = await readGreeting(port);
  return greeting.includes('"jetstream":true') ? port : undefined;
}

/** The server writes its addresses into a file named after itself and its pid. */
function announcedPort(portsDir: string): number | undefined {
  const file = readdirSync(portsDir).find((name) => name.endsWith('.ports'));
  if (file === undefined) return undefined;
  const port = /"nats":\s*\[\s*"nats:\/\/[^"]*:(\d+)"/.exec(readFileSync(path.join(portsDir, file), 'utf8'))?.[1];
  return port === undefined ? undefined : Number(port);
}

/** The INFO line that the server sends first; empty when there was none. */
function readGreeting(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.setTimeout(2_000, () => socket.destroy());
    let greeting = '';
    socket.on('data', (chunk) => {
      greeting += chunk.toString('utf8');
      if (greeting.includes('\r\n')) socket.destroy();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(greeting));
  });
}
