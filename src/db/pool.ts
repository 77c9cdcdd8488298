import pg from 'pg';
import type { Log } from '../log.ts';

/**
 * Opens a pool of connections for prepared statements. One that breaks while idle is replaced, and noted; one that breaks
 * between two statements of its borrower fails the next one. The pool itself listens only while nobody has it, and what
 * nobody listens for would end the process.
 */
export function openPool(options: { url: string; max: number; name: string; log: Log }): pg.Pool {
  const { url, max, name, log } = options;
  const pool = new pg.Pool({
    connectionString: url,
    max,
    application_name: `formwire-${name}`,
    connectionTimeoutMillis: 10_000,
    idleTimeoutMillis: 60_000,
    keepAlive: true,
  });
  pool.on('connect', (client) => client.on('error', () => undefined));
  pool.on('error', (error) => {
    if (!pool.ending) log.warn({ pool: name, err: error }, 'database.connection_lost');
  });
  return pool;
}
