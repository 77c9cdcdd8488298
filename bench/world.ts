import path from 'node:path';
import { Client } from 'pg';
import { migrate } from '../src/db/migrate.ts';
import { startNatsServer } from '../src/embedded/nats-server.ts';
import { startPostgres } from '../src/embedded/postgres.ts';
import { createTemporaryDirectory } from '../test/support/temporary-directory.ts';

/** Servers of a measurement's own, set up as `npm start` sets up its embedded ones, in a directory that goes with them. */
export interface World extends AsyncDisposable {
  dir: string;
  natsUrl: string;
  /** Makes a database with the product's tables and answers its URL. */
  createDatabase(name: string): Promise<string>;
}

export async function openWorld(): Promise<World> {
  const stack = new AsyncDisposableStack();
  try {
    const directory = stack.use(createTemporaryDirectory());
    const postgres = await startPostgres({ dir: path.join(directory.path, 'postgres') });
    stack.defer(() => postgres.stop());
    const nats = await startNatsServer({ dir: path.join(directory.path, 'nats') });
    stack.defer(() => nats.stop());
    return {
      dir: directory.path,
      natsUrl: nats.url,
      createDatabase: async (name) => {
        await withClient(postgres.url, (client) => client.query(`create database ${name}`));
        const url = new URL(postgres.url);
        url.pathname = name;
        await migrate(url.href);
        return url.href;
      },
      [Symbol.asyncDispose]: () => stack.disposeAsync(),
    };
  } catch (error) {
    await stack.disposeAsync();
    throw error;
  }
}

/** Runs something with a connection of its own. */
export async function withClient<T>(databaseUrl: string, use: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: databaseUrl });
  await client.connect();
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}
