import { randomBytes } from 'node:crypto';
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { providerNamed } from '../../integrations/index.ts';
import { resealAll } from '../../src/integrations/reseal.ts';
import { silentLog } from '../../src/log.ts';
import { createSealer } from '../../src/sealing.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { seedForm, seedWebhook } from '../support/pipeline.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, verifySignature } from '../support/receiver.ts';

const credential = 'Bearer T0PSECRET';
const headers = [{ name: 'Authorization', value: credential }];

async function submit({ api, stranger }: TestProduct): Promise<void> {
  const { form } = await api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', {
    title: 'Lunch', questions: [{ text: 'Soup?', kind: 'BOOLEAN' }],
  });
  await stranger.call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', {
    formId: form.id, answers: [{ key: 'soup', value: true }],
  });
}

const connect = ({ api }: TestProduct, url: string) =>
  api.call<{ integration: { id: string; settings: unknown }; secret: string }>(
    'mutation ($input: CreateIntegrationInput!) { createIntegration(input: $input) { integration { id settings } secret errors { message } } }',
    { settings: { webhook: { url, headers } } },
  );

const change = ({ api }: TestProduct, input: Record<string, unknown>) =>
  api.call<{ integration: { settings: unknown } }>('mutation ($input: UpdateIntegrationInput!) { updateIntegration(input: $input) { integration { settings } errors { message } } }', input);

const storedIn = async (pool: Pool): Promise<string> => {
  const { rows } = await pool.query<{ text: string }>('select integrations::text as text from integrations');
  return rows.map(({ text }) => text).join('\n');
};

test('secrets are encrypted in the database, shown to nobody, and sent all the same', async () => {
  await using product = await startProduct();
  await using receiver = await startReceiver();
  const { integration, secret } = await connect(product, receiver.url);
  expect(integration.settings).toMatchObject({ headers: [{ name: 'Authorization', value: '…' }] });
  const rows = await storedIn(product.pipeline.pool);
  expect(rows).toContain('sealed:1:');
  expect(rows).not.toContain('T0PSECRET');
  expect(rows).not.toContain(secret.slice(6));

  await submit(product);
  await receiver.waitFor(1);
  expect(receiver.requests[0]?.headers['authorization']).toBe(credential);
  verifySignature(receiver.requests[0], secret);
});

test('new settings take the place of old secrets', async () => {
  await using product = await startProduct();
  await using receiver = await startReceiver();
  const { integration } = await connect(product, receiver.url);
  await change(product, { id: integration.id, settings: { webhook: { url: receiver.url, headers: [{ name: 'Authorization', value: 'Bearer new' }] } } });
  await submit(product);
  await receiver.waitFor(1);
  expect(receiver.requests[0]?.headers['authorization']).toBe('Bearer new');
});

test('a rotated key seals everything anew, what was never sealed too, and the old key can go', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  const form = await seedForm(database.url);
  const { secret } = await seedWebhook(database.url, { ...form, url: 'https://example.org' });
  const ends = ['2026-11-29T03:00:00.000Z'];
  await pool.query('update integrations set secrets = $1, secret_ends = $2', [JSON.stringify([secret, 'whsec_old']), JSON.stringify(ends)]);
  const [before, after] = [randomBytes(32), randomBytes(32)];
  const reseal = (...keys: [Buffer, ...Buffer[]]): Promise<number> => resealAll({ pool, sealer: createSealer(keys), providerNamed, log: silentLog });

  expect(await reseal(before)).toBe(1);
  for (const text of [secret, 'whsec_old']) expect(await storedIn(pool)).not.toContain(text);
  expect(await reseal(before)).toBe(0);
  expect(await reseal(after, before)).toBe(1);
  expect(await reseal(after)).toBe(0);
  const { rows } = await pool.query<{ id: string; secrets: string[]; ends: string[] }>('select id, secrets, secret_ends as ends from integrations');
  expect(rows[0]?.secrets.map((sealed) => createSealer([after]).open(sealed, rows[0]?.id ?? ''))).toEqual([secret, 'whsec_old']);
  expect(rows[0]?.ends).toEqual(ends);
  await pool.end();
});

test('without the key nothing is sent, everything waits, and the reason says so', async () => {
  await using product = await startProduct();
  await using receiver = await startReceiver();
  const { integration } = await connect(product, receiver.url);
  const { pool } = product.pipeline;
  const foreign = createSealer([randomBytes(32)]);
  await pool.query('update integrations set secrets = $2, updated_at = now() where id = $1', [integration.id, JSON.stringify([foreign.seal('whsec_x', integration.id)])]);
  await submit(product);
  const reason = async () => (await pool.query<{ reason: string }>(`select reason from deliveries where status = 'pending'`)).rows[0]?.reason;
  await expect.poll(reason, { timeout: 10_000 }).toMatch(/key they were encrypted with is not configured/);
  expect(receiver.requests).toHaveLength(0);
});
