import type { Pool, PoolClient } from 'pg';

/** Runs several statements in one transaction: all of them, or, where `work` throws, none. */
export async function inTransaction<T>(pool: Pool, work: (client: PoolClient) => Promise<T>): Promise<T> {
  const client = await pool.connect();
  try {
    await client.query('begin');
    const result = await work(client);
    await client.query('commit');
    client.release();
    return result;
  } catch (error) {
    await client.query('rollback').then(() => client.release(), () => client.release(true));
    throw error;
  }
}
