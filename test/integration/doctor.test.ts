import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { jetstreamManager } from '@nats-io/jetstream';
import { connect } from '@nats-io/transport-node';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Finding } from '../../src/console/checks/finding.ts';
import { runFormwire } from '../support/command.ts';
import { startProduct, type TestProduct } from '../support/product.ts';

let product: TestProduct;
let keys: Record<string, string>;
beforeAll(async () => {
  product = await startProduct();
  keys = {
    FORMWIRE_JWT_KEY: generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    FORMWIRE_SECRETS_KEY: randomBytes(32).toString('base64'),
  };
});
afterAll(() => product[Symbol.asyncDispose]());

const examine = async (change: Record<string, string> = {}): Promise<{ code: number | null; wrong: string[]; of(check: string): Finding | undefined }> => {
  const env = { DATABASE_URL: product.databaseUrl, NATS_URL: product.nats.url, PORT: new URL(product.url).port, ...keys, ...change };
  const { code, json } = await runFormwire(['doctor', '--json'], env);
  const findings = json as Finding[];
  return { code, wrong: findings.filter(({ state }) => state !== 'sound').map(({ check }) => check), of: (wanted) => findings.find(({ check }) => check === wanted) };
};

test('the doctor finds nothing wrong but what is: a test’s database writes nothing to disk', async () => {
  await expect.poll(async () => (await examine()).wrong, { timeout: 30_000 }).toEqual(['durability']);
  const { code, of } = await examine();
  expect(code).toBe(3);
  expect(of('durability')?.mend).toContain('fsync');
  expect(of('API')?.seen).toBe(product.url);
});

test('it says what is wrong with the configuration, the keys and the servers, and how to mend each', async () => {
  expect(await examine({ PORT: 'many', FORMWIRE_NOPE: '1' })).toMatchObject({ code: 3, wrong: ['configuration'] });
  const keyless = await examine({ FORMWIRE_JWT_KEY: '', FORMWIRE_SECRETS_KEY: 'short' });
  expect(keyless.wrong).toEqual(['signing key', 'secrets key', 'durability']);
  expect(keyless.of('signing key')?.seen).toContain('openssl genpkey');
  const alone = await examine({ NATS_URL: 'nats://127.0.0.1:1', PORT: '1' });
  expect(alone.wrong).toEqual(['durability', 'NATS', 'API']);
  const gone = await examine({ DATABASE_URL: 'postgresql://nobody@127.0.0.1:1/formwire' });
  expect(gone.wrong).toEqual(['PostgreSQL']);
  expect(gone.of('PostgreSQL')).toMatchObject({ seen: expect.stringContaining('ECONNREFUSED'), mend: expect.stringContaining('DATABASE_URL') });
});

test('it finds secrets that no key opens, migrations that are not done, and consumers that are gone', async () => {
  const { pool } = product.pipeline;
  await product.api.call('mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id } errors { message } } }', { settings: { webhook: { url: 'http://127.0.0.1:1/' } } });
  expect((await examine()).of('secrets')).toMatchObject({ state: 'wrong', seen: expect.stringMatching(/1 integration cannot be opened, intg_/) });

  const { rows } = await pool.query(`delete from mikro_orm_migrations where id = (select max(id) from mikro_orm_migrations) returning name`);
  expect((await examine()).of('schema')).toMatchObject({ state: 'wrong', seen: expect.stringContaining(rows[0].name) });
  await pool.query('insert into mikro_orm_migrations (name) values ($1)', [rows[0].name]);

  await product.pipeline.stop();
  const nats = await connect({ servers: product.nats.url });
  await (await jetstreamManager(nats)).consumers.delete('EVENTS', 'dispatch-3');
  await nats.close();
  const stopped = await examine();
  expect(stopped.of('consumers')?.seen).toBe('1 of 16 are missing');
  expect(stopped.of('dispatchers')).toMatchObject({ state: 'wrong', mend: expect.stringContaining('role dispatcher') });
});
