import './provided.ts';
import { Client } from 'pg';
import type { TestProject } from 'vitest/node';
import { migrate } from '../../src/db/migrate.ts';
import { provideNatsServer } from '../../src/embedded/find-nats-server.ts';
import { startPostgres } from '../../src/embedded/postgres.ts';
import { createTemporaryDirectory, removeAbandonedDirectories } from './temporary-directory.ts';

const templateDatabase = 'formwire_template';

/** One PostgreSQL for the whole run, with a migrated template; and a nats-server, which each test file starts itself. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  removeAbandonedDirectories();
  const directory = createTemporaryDirectory();
  const [postgres, natsServer] = await Promise.all([startPostgres({ dir: directory.path, ephemeral: true }), provideNatsServer()]);
  await createTemplate(postgres.url);
  project.provide('postgresAdminUrl', postgres.url);
  project.provide('templateDatabase', templateDatabase);
  project.provide('natsServerBinary', natsServer.path);
  return async () => {
    await postgres.stop();
    directory[Symbol.dispose]();
  };
}

async function createTemplate(adminUrl: string): Promise<void> {
  const admin = new Client({ connectionString: adminUrl });
  await admin.connect();
  try {
    await admin.query(`create database ${templateDatabase}`);
  } finally {
    await admin.end();
  }
  const url = new URL(adminUrl);
  url.pathname = templateDatabase;
  await migrate(url.href);
}
