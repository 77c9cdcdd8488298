import { randomBytes } from 'node:crypto';
import { expect, inject, onTestFinished, test } from 'vitest';
import { ensureReaderRole } from '../../src/db/reader-role.ts';
import { createTestDatabase } from '../support/database.ts';
import { withClient } from '../support/pipeline.ts';

const asAdmin = (statement: string) => withClient(inject('postgresAdminUrl'), (client) => client.query(statement));

/** Names of roles of the test's own, which are gone with it. */
function roleNames(...purposes: string[]): string[] {
  const names = purposes.map((purpose) => `test_${purpose}_${randomBytes(6).toString('hex')}`);
  onTestFinished(async () => {
    for (const name of names.toReversed()) await asAdmin(`drop role if exists ${name}`);
  });
  return names;
}

async function urlOf(user: string, attributes: string): Promise<string> {
  await asAdmin(`create role ${user} login password 'secret' ${attributes}`);
  const url = new URL(inject('postgresAdminUrl'));
  Object.assign(url, { username: user, password: 'secret' });
  return url.href;
}

const canTake = (url: string, role: string) =>
  withClient(url, async (client) => {
    await client.query(`set role ${role}`);
    return (await client.query('select current_user::text as role')).rows;
  });

test('a user who may create roles gives itself the role of the reader, once and again', async () => {
  const [user = '', role = ''] = roleNames('user', 'reader');
  const url = await urlOf(user, 'createrole');
  await ensureReaderRole(url, role);
  await ensureReaderRole(url, role);
  expect(await canTake(url, role)).toEqual([{ role }]);
});

test('a user who may not is told what to run by hand, and goes on when that was run', async () => {
  const [user = '', role = ''] = roleNames('user', 'reader');
  const url = await urlOf(user, '');
  const message = await ensureReaderRole(url, role).then(() => '', String);
  expect(message).toContain(`create role ${role} nologin;`);
  expect(message).not.toContain('secret');
  const [create = '', grant = ''] = message.split('\n').slice(1);
  await asAdmin(create);
  await expect(ensureReaderRole(url, role)).rejects.toThrow(grant.trim());
  await expect(ensureReaderRole(url, role)).rejects.not.toThrow('create role');
  await asAdmin(grant);
  await ensureReaderRole(url, role);
  expect(await canTake(url, role)).toEqual([{ role }]);
});

test('many processes over several databases of one cluster may begin at once', async () => {
  const [user = '', role = ''] = roleNames('user', 'reader');
  const url = await urlOf(user, 'createrole');
  await using database = await createTestDatabase();
  const elsewhere = new URL(url);
  elsewhere.pathname = new URL(database.url).pathname;
  await Promise.all(Array.from({ length: 12 }, (_, index) => ensureReaderRole(index % 2 ? url : elsewhere.href, role)));
  expect(await canTake(url, role)).toEqual([{ role }]);
});

test('a role that policies do not hold back is refused', async () => {
  const [role = ''] = roleNames('reader');
  await asAdmin(`create role ${role} nologin bypassrls`);
  await expect(ensureReaderRole(inject('postgresAdminUrl'), role)).rejects.toThrow('nobypassrls');
});
