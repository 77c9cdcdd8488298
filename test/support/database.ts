import './provided.ts';
import { randomBytes } from 'node:crypto';
import { Client } from 'pg';
import { inject } from 'vitest';

/** A database of the test's own, migrated and empty; dropped with its scope, also where connections are still open. */
export interface TestDatabase extends AsyncDisposable {
  url: string;
}

/** Clones the run's template, in some 20 ms. */
export const createTestDatabase = (): Promise<TestDatabase> => createDatabase(`template ${inject('templateDatabase')}`);

/** Without any table, for tests of migrations. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createDatabase('');

async function createDatabase(template: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(`create database ${name} ${template}`);
  const url = new URL(inject('postgresAdminUrl'));
  url.pathname = name;
  return { url: url.href, [Symbol.asyncDispose]: () => asAdmin(`drop database if exists ${name} with (force)`) };
}

async function asAdmin(statement: string): Promise<void> {
  const admin = new Client({ connectionString: inject('postgresAdminUrl') });
  await admin.connect();
  try {
    await admin.query(statement);
  } finally {
    await admin.end();
  }
}
