import { readFileSync, realpathSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import path from 'node:path';
import { Client } from 'pg';
import { askUntilAnswered, spawnServer, type ServerProcess } from './child-process.ts';
import { lockDataDirectory } from './data-lock.ts';
import { findPostgres, type PostgresBinaries } from './postgres-binaries.ts';
import { openCluster, type PostgresCluster } from './postgres-cluster.ts';
import { endProcess, findProcesses, identityOf } from './running-process.ts';

/** A running PostgreSQL of our own. */
export interface EmbeddedPostgres {
  /** Of the database `formwire`, with the superuser's password in it. */
  url: string;
  port: number;
  pid: number;
  /** Resolves when the server has ended, by `stop` or by itself. */
  exited: Promise<void>;
  /** Disconnects everyone and shuts down; deletes an ephemeral one. May be called twice. */
  stop(): Promise<void>;
}

const database = 'formwire';
/** Long, since a crash may leave much to replay; a server that cannot start ends by itself and is not waited for. */
const startLimitMs = 600_000;
const stopGraceMs = 60_000;

/**
 * Starts PostgreSQL on loopback TCP only, with its files under `dir`, which one Formwire at a time may use (otherwise
 * DataDirectoryBusyError). Without `port` it takes a free one. It ends with this process, however that dies; what a
 * killed Formwire left running is ended first. `ephemeral` trades durability for speed and is gone after `stop`.
 */
export async function startPostgres(options: { dir: string; port?: number; ephemeral?: boolean }): Promise<EmbeddedPostgres> {
  const ephemeral = options.ephemeral ?? false;
  const lock = lockDataDirectory(options.dir); // makes it, or says why it cannot
  const dir = realpathSync(options.dir); // a leftover server is found by its name
  try {
    const binaries = findPostgres();
    const cluster = openCluster({ dir, binaries, ephemeral });
    await endLeftover(cluster.dir);
    const { server, port } = await startOnSomePort({ ...options, dir, ephemeral, binaries, cluster });
    const url = (name: string) => `postgresql://${cluster.superuser}:${cluster.password}@127.0.0.1:${port}/${name}`;
    const stop = async () => {
      // Fast shutdown writes everything out first; immediate shutdown does not.
      await server.stop(ephemeral ? 'SIGQUIT' : 'SIGINT', stopGraceMs);
      lock.release();
      if (ephemeral) rmSync(dir, { recursive: true, force: true });
    };
    await createDatabase(url('postgres')).catch(async (error: unknown) => {
      await stop();
      throw error;
    });
    return { url: url(database), port, pid: server.pid, exited: server.exited, stop };
  } catch (error) {
    lock.release();
    throw error;
  }
}

interface StartOptions {
  dir: string;
  port?: number;
  ephemeral: boolean;
  binaries: PostgresBinaries;
  cluster: PostgresCluster;
}

/** Tries again where waiting or another port helps. */
async function startOnSomePort(options: StartOptions): Promise<{ server: ServerProcess; port: number }> {
  for (let attempt = 1; ; attempt += 1) {
    const port = options.port ?? (await freePort());
    const server = spawnPostgres(options, port);
    if (await askUntilAnswered(server, () => isReady(options.cluster.dir, server.pid) || undefined, startLimitMs)) return { server, port };
    await server.stop('SIGQUIT', stopGraceMs);
    const log = server.logTail();
    const portWasTaken = options.port === undefined && log.includes('Address already in use');
    // Sessions of a killed postmaster end by themselves, but not at once.
    const oldSessionsRemain = log.includes('is still in use');
    if (attempt === 20 || !(portWasTaken || oldSessionsRemain)) throw new Error(`The embedded PostgreSQL in ${options.dir} does not start: ${log}`);
    if (oldSessionsRemain) await new Promise((resolve) => setTimeout(resolve, 250));
  }
}

function spawnPostgres(options: StartOptions, port: number): ServerProcess {
  const { cluster, binaries, ephemeral } = options;
  const settings = {
    listen_addresses: '127.0.0.1',
    port: String(port),
    unix_socket_directories: '',
    max_connections: '100',
    timezone: 'UTC',
    // The log holds what an operator needs and no values of statements, which are people's answers.
    log_timezone: 'UTC',
    log_min_messages: 'log',
    log_min_error_statement: 'panic',
    log_error_verbosity: 'terse',
    log_checkpoints: 'off',
    ...(ephemeral ? { fsync: 'off', synchronous_commit: 'off', full_page_writes: 'off', wal_level: 'minimal', max_wal_senders: '0' } : {}),
  };
  return spawnServer({
    commandLine: [binaries.postgres, '-D', cluster.dir, ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`])],
    user: cluster.user,
    parentDeathSignal: 'SIGINT',
    logFile: path.join(options.dir, 'postgres.log'),
  });
}

/** The eighth line of `postmaster.pid` tells the state of the server whose pid is in the first. */
function isReady(clusterDir: string, pid: number): boolean {
  const lines = readPidFile(clusterDir);
  return Number(lines[0]) === pid && lines[7]?.trim() === 'ready';
}

/** Ends the server of a killed Formwire, and forgets one that is gone: its pid may be another program's by now. */
async function endLeftover(clusterDir: string): Promise<void> {
  const leftovers = findProcesses({ flag: '-D', value: clusterDir });
  await Promise.all(leftovers.map((leftover) => endProcess(leftover, 'SIGINT', stopGraceMs)));
  const pid = Number(readPidFile(clusterDir)[0]);
  // PostgreSQL judges a dead pid better than we do, by its shared memory; it is wrong only about one in use again.
  if (identityOf(pid)) rmSync(path.join(clusterDir, 'postmaster.pid'), { force: true });
}

function readPidFile(clusterDir: string): string[] {
  try {
    return readFileSync(path.join(clusterDir, 'postmaster.pid'), 'utf8').split('\n');
  } catch {
    return []; // not there before the start and after a stop
  }
}

async function createDatabase(adminUrl: string): Promise<void> {
  const client = new Client({ connectionString: adminUrl });
  await client.connect();
  try {
    const found = await client.query('select from pg_database where datname = $1', [database]);
    if (found.rowCount === 0) await client.query(`create database ${database}`);
  } finally {
    await client.end();
  }
}

/** PostgreSQL cannot choose a port itself. Another program may take this one first; then the start is tried again. */
function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() => (address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no free port'))));
    });
  });
}
