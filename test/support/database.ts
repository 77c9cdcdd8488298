import './provided.ts';
import { randomBytes } from 'node:crypto';
import { Client, Pool } from 'pg';
import { inject } from 'vitest';
import { readerRole } from '../../src/db/reader-role.ts';

/** A database of the test's own, migrated and empty; dropped with its scope, also where connections are still open. */
export interface TestDatabase extends AsyncDisposable {
  url: string;
}

/** Clones the run's template, in some 20 ms. */
export const createTestDatabase = (): Promise<TestDatabase> => createDatabase(`template ${inject('templateDatabase')}`);

/** Without any table, for tests of migrations. */
export const createEmptyDatabase = (): Promise<TestDatabase> => createDatabase('');

/** A database that belongs to a user without further rights, as in service; empty, for them to migrate. */
export interface OwnedDatabase extends TestDatabase {
  owner: string;
  ownerUrl: string;
}

export async function createOwnedDatabase(): Promise<OwnedDatabase> {
  const { user: owner, password } = await createUser('');
  await asAdmin(`grant ${readerRole} to ${owner}`);
  const { url, [Symbol.asyncDispose]: drop } = await createDatabase(`owner ${owner}`);
  return {
    url,
    owner,
    ownerUrl: urlAs(url, { user: owner, password }),
    async [Symbol.asyncDispose]() {
      await drop();
      await asAdmin(`drop role ${owner}`);
    },
  };
}

/** Another user of such a database, in all their rights its owner: what they make belongs to the owner. Stays until the run ends. */
export async function createSecondUser({ url, owner }: OwnedDatabase): Promise<{ url: string }> {
  const second = await createUser(`in role ${owner}`);
  await asAdmin(`alter role ${second.user} set role = '${owner}'`);
  return { url: urlAs(url, second) };
}

async function createUser(options: string): Promise<{ user: string; password: string }> {
  const [user, password] = [`user_${randomBytes(4).toString('hex')}`, randomBytes(12).toString('hex')];
  await asAdmin(`create role ${user} login password '${password}' ${options}`);
  return { user, password };
}

function urlAs(databaseUrl: string, { user, password }: { user: string; password: string }): string {
  const url = new URL(databaseUrl);
  [url.username, url.password] = [user, password];
  return url.href;
}

async function createDatabase(options: string): Promise<TestDatabase> {
  const name = `test_${randomBytes(8).toString('hex')}`;
  await asAdmin(`create database ${name} ${options}`);
  const url = new URL(inject('postgresAdminUrl'));
  url.pathname = name;
  return { url: url.href, [Symbol.asyncDispose]: () => asAdmin(`drop database if exists ${name} with (force)`) };
}

/**
 * A pool for a test. `end` does not wait for the sockets: one on its way out may still hear that the database is
 * dropped, which is no matter to anybody.
 */
export function openTestPool(databaseUrl: string, max = 4): Pool {
  const pool = new Pool({ connectionString: databaseUrl, max });
  pool.on('error', () => undefined);
  return pool;
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
