import { Pool, type buildConnector } from 'undici';

/** The pools of connections to the receivers, one for each origin. */
export interface OriginPools {
  poolOf(origin: string): Pool;
  /** How many origins have a pool now. */
  size(): number;
  /** Waits for the exchanges in flight and closes every socket. */
  close(): Promise<void>;
}

/** Sockets without a keep-alive hint are dropped after 4 s idle, those with a long one after 30 s. */
const keepAliveTimeout = 4_000;
const keepAliveMaxTimeout = 30_000;

/**
 * Keeps one pool for each origin that is in use, so that a receiver that hangs holds no sockets but its own. A pool
 * goes with its last socket; where more than `maxIdleOrigins` keep idle sockets open, those unused for longest go first.
 */
export function createOriginPools(options: {
  connect: buildConnector.connector;
  maxConnectionsPerOrigin: number;
  maxIdleOrigins: number;
}): OriginPools {
  const { connect, maxConnectionsPerOrigin, maxIdleOrigins } = options;
  const pools = new Map<string, Pool>();

  function drop(origin: string, pool: Pool): void {
    if (pools.get(origin) === pool) pools.delete(origin);
    void pool.close();
  }

  function open(origin: string): Pool {
    const pool = new Pool(origin, {
      connect,
      connections: maxConnectionsPerOrigin,
      allowH2: false,
      keepAliveTimeout,
      keepAliveMaxTimeout,
      headersTimeout: 0, // the exchange has one limit over everything
      bodyTimeout: 0,
    });
    const dropIfUnused = (): void => {
      const { connected, size } = pool.stats;
      if (connected === 0 && size === 0 && !pool.closed) drop(origin, pool);
    };
    pool.on('disconnect', dropIfUnused).on('connectionError', dropIfUnused);
    pools.set(origin, pool);
    return pool;
  }

  return {
    poolOf(origin) {
      const known = pools.get(origin);
      if (known === undefined) {
        if (pools.size >= maxIdleOrigins) dropOldestIdle(pools, drop);
        return open(origin);
      }
      pools.delete(origin); // a Map keeps the order of insertion: in again, at the end, as the latest used
      pools.set(origin, known);
      return known;
    },
    size: () => pools.size,
    async close() {
      const closing = [...pools.values()].map((pool) => pool.close());
      pools.clear();
      await Promise.all(closing);
    },
  };
}

/** Looks at a few only: where even the oldest are busy, their number is bounded by the exchanges in flight. */
function dropOldestIdle(pools: Map<string, Pool>, drop: (origin: string, pool: Pool) => void): void {
  for (const [origin, pool] of pools.entries().take(16)) {
    if (pool.stats.size === 0) return drop(origin, pool);
  }
}
