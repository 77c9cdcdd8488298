import path from 'node:path';
import type { Config } from '../config.ts';
import { freeAllLeases } from '../deliveries/partition-leases.ts';
import { openPool } from '../db/pool.ts';
import { startNatsServer } from '../embedded/nats-server.ts';
import { startPostgres } from '../embedded/postgres.ts';
import type { Log } from '../log.ts';

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
  const postgres = config.DATABASE_URL ? undefined : await startPostgres({ dir: postgresDir });
  const nats = config.NATS_URL
    ? undefined
    : await startNatsServer({ dir: natsDir, ...(config.FORMWIRE_NATS_SERVER ? { binary: config.FORMWIRE_NATS_SERVER } : {}) }).catch(async (error: unknown) => {
        await postgres?.stop();
        throw error;
      });
  const databaseUrl = config.DATABASE_URL ?? postgres?.url ?? '';
  let isStopping = false;
  const failed = new Promise<never>((_, reject) => {
    const watch = (name: string, exited: Promise<void> | undefined): void => {
      void exited?.then(() => {
        if (!isStopping) reject(new Error(`The embedded ${name} has ended by itself; its log is in ${data}.`));
      });
    };
    watch('PostgreSQL', postgres?.exited);
    watch('nats-server', nats?.exited);
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
      await pool.end();
    },
    stop: async () => {
      isStopping = true;
      await Promise.all([nats?.stop(), postgres?.stop()]);
    },
  };
}
