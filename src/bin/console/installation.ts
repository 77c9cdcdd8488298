import path from 'node:path';
import { Pool } from 'pg';
import { localUrl, type Config } from '../../config.ts';
import { isDatabaseTrouble } from '../../database-trouble.ts';
import type { Whereabouts } from '../../stream/link.ts';
import { findRunning } from '../running.ts';
import { whyNotConnected } from '../why-not-connected.ts';

/** Where the parts of the installation are that a command is about. */
export interface Installation {
  databaseUrl: string;
  /** Undefined: not known on this machine. */
  nats: Whereabouts | undefined;
  apiUrl: string | undefined;
}

/**
 * The servers of the configuration, as `start` uses them, or the embedded ones of the Formwire that runs on the data
 * directory. Throws a sentence for people where there are none.
 */
export function findInstallation(config: Config): Installation {
  const running = findRunning(config);
  const databaseUrl = config.DATABASE_URL ?? running?.databaseUrl;
  if (databaseUrl !== undefined) {
    const natsUrl = config.NATS_URL ?? running?.natsUrl;
    const nats = natsUrl === undefined ? undefined : { url: natsUrl, credentialsFile: config.FORMWIRE_NATS_CREDENTIALS };
    return { databaseUrl, nats, apiUrl: running?.apiUrl ?? (config.PORT === 0 ? undefined : localUrl(config)) };
  }
  throw new Error(`No Formwire is running on the data directory ${path.resolve(config.FORMWIRE_DATA)}. Start it, or set FORMWIRE_DATA to its directory, or DATABASE_URL to its database.`);
}

/** A question of an operator may take so long; what is being delivered must not suffer from it. */
const statementMs = 30_000;

/** Connections for one command. Throws a sentence for people where there is none to be had. */
export async function withDatabase<T>({ databaseUrl }: Pick<Installation, 'databaseUrl'>, use: (pool: Pool) => Promise<T>): Promise<T> {
  const pool = new Pool({ connectionString: databaseUrl, max: 2, application_name: 'formwire-console', connectionTimeoutMillis: 5_000, statement_timeout: statementMs });
  // the statement fails, and says so
  pool.on('error', () => undefined).on('connect', (client) => client.on('error', () => undefined));
  const host = URL.parse(databaseUrl)?.host ?? 'of DATABASE_URL';
  try {
    await requireConnection(pool, host);
    return await use(pool).catch((cause: unknown) => {
      if (!isDatabaseTrouble(cause)) throw cause;
      throw new Error(`PostgreSQL ${host} does not answer any more: ${whyNotConnected(cause)}`, { cause });
    });
  } finally {
    await pool.end();
  }
}

async function requireConnection(pool: Pool, host: string): Promise<void> {
  try {
    (await pool.connect()).release();
  } catch (cause) {
    throw new Error(`PostgreSQL ${host} cannot be reached: ${whyNotConnected(cause)}`, { cause });
  }
}
