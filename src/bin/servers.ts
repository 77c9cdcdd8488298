import { readFileSync } from 'node:fs';
import path from 'node:path';
import { Client } from 'pg';
import type { Config } from '../config.ts';
import { freeAllLeases } from '../deliveries/partition-leases.ts';
import { freeAllJobs } from '../jobs/claim-jobs.ts';
import { forgetProcesses } from '../processes/process-rows.ts';
import { openPool } from '../db/pool.ts';
import { DataDirectoryBusyError } from '../embedded/data-lock.ts';
import { startNatsServer } from '../embedded/nats-server.ts';
import { startPostgres } from '../embedded/postgres.ts';
import { saysDiskFull } from '../embedded/unwritable.ts';
import type { Log } from '../log.ts';
import { whyNotConnected } from './why-not-connected.ts';

/** The servers a process works with: those of the configuration, or embedded ones of its own. */
export interface Servers {
  databaseUrl: string;
  natsUrl: string;
  /** What is embedded, and where its data is; empty where both come from the configuration. */
  embedded: { name: string; dir: string }[];
  /** Rejects when an embedded server ends by itself. */
  failed: Promise<never>;
  /** For an embedded database, which no other process uses: takes what a killed predecessor held from it. */
  takeOver(log: Log): Promise<void>;
  stop(): Promise<void>;
}

/** Starts what the configuration does not name. Fails in a sentence that says what to do. */
export async function openServers(config: Config): Promise<Servers> {
  const data = path.resolve(config.FORMWIRE_DATA);
  const postgresDir = path.join(data, 'postgres');
  const natsDir = path.join(data, 'nats');
  if (config.DATABASE_URL) await checkDatabase(config.DATABASE_URL);
  const postgres = config.DATABASE_URL ? undefined : await startPostgres({ dir: postgresDir }).catch(explainBusy(data));
  const nats = config.NATS_URL
    ? undefined
    : await startNatsServer({ dir: natsDir, ...(config.FORMWIRE_NATS_SERVER ? { binary: config.FORMWIRE_NATS_SERVER } : {}) }).catch(async (error: unknown) => {
        await postgres?.stop();
        return explainBusy(data)(error);
      });
  const databaseUrl = config.DATABASE_URL ?? postgres?.url ?? '';
  let isStopping = false;
  const failed = new Promise<never>((_, reject) => {
    const watch = (name: string, exited: Promise<void> | undefined, log: string): void => {
      void exited?.then(() => {
        if (!isStopping) reject(new Error(`The embedded ${name} has ended by itself${saysDiskFull(readIfThere(log)) ? ': its disk is full, make room' : ''}; its log is ${log}`));
      });
    };
    watch('PostgreSQL', postgres?.exited, path.join(postgresDir, 'postgres.log'));
    watch('nats-server', nats?.exited, path.join(natsDir, 'nats-server.log'));
  });
  failed.catch(() => undefined); // whoever waits for it sees it

  return {
    databaseUrl,
    natsUrl: config.NATS_URL ?? nats?.url ?? '',
    embedded: [
      ...(postgres ? [{ name: 'PostgreSQL', dir: postgresDir }] : []),
      ...(nats ? [{ name: `nats-server ${nats.version}`, dir: natsDir }] : []),
    ],
    failed,
    takeOver: async (log) => {
      if (!postgres) return;
      const pool = openPool({ url: databaseUrl, max: 1, name: 'start', log });
      await freeAllLeases(pool);
      await freeAllJobs(pool);
      await forgetProcesses(pool);
      await pool.end();
    },
    stop: async () => {
      isStopping = true;
      await Promise.all([nats?.stop(), postgres?.stop()]);
    },
  };
}

/** A log may be on the disk that is full, or gone with it. */
function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    return '';
  }
}

/** What to do about a busy directory: its name is a setting here, and another Formwire needs a port too. */
function explainBusy(data: string): (error: unknown) => never {
  return (error) => {
    if (!(error instanceof DataDirectoryBusyError)) throw error;
    const message = `A Formwire (process ${error.pid}) is already running on the data directory ${data}. Stop it, or set FORMWIRE_DATA and PORT to run another one.`;
    throw new Error(message, { cause: error });
  };
}

/** Throws a sentence without credentials where the configured database does not let us in. */
async function checkDatabase(url: string): Promise<void> {
  const client = new Client({ connectionString: url, connectionTimeoutMillis: 10_000 });
  client.on('error', () => undefined); // the connection may break again after it failed
  try {
    await client.connect();
  } catch (cause) {
    throw new Error(`PostgreSQL of DATABASE_URL (${client.host}:${client.port}) cannot be reached: ${whyNotConnected(cause)}`, { cause });
  } finally {
    await client.end().catch(() => undefined);
  }
}
