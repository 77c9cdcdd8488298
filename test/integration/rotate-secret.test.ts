import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createLog } from '../../src/log.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { startReceiver, verifySignature, type ReceivedRequest, type Receiver } from '../support/receiver.ts';

let product: FakeProduct;
let receiver: Receiver;
const lines: string[] = [];
beforeAll(async () => {
  product = await startFakeProduct({}, { log: createLog('info', { write: (line) => void lines.push(line) }) });
  receiver = await startReceiver();
});
afterAll(async () => {
  await receiver[Symbol.asyncDispose]();
  await product[Symbol.asyncDispose]();
});

interface Connected {
  formId: string;
  id: string;
  secret: string;
}

async function connect(): Promise<Connected> {
  const formId = await product.newForm();
  const { integration, secret } = await product.run('createIntegration', { formId, settings: { webhook: { url: receiver.url } } }, 'integration { id } secret');
  return { formId, id: integration.id, secret };
}

const rotate = async (id: string, keepOldFor?: string): Promise<{ integration: { oldSecretsEndAt: string | null }; secret: string }> =>
  product.run('rotateSecret', { id, ...(keepOldFor !== undefined && { keepOldFor }) }, 'integration { id oldSecretsEndAt } secret');

/** What a refusal says: its code and where. */
const refusal = async (input: object): Promise<unknown> => {
  const query = 'mutation ($input: RotateSecretInput!) { rotateSecret(input: $input) { secret errors { code path message } } }';
  const headers = { 'content-type': 'application/json', authorization: `Bearer ${product.token}` };
  const answer = await fetch(`${product.url}/graphql`, { method: 'POST', headers, body: JSON.stringify({ query, variables: { input } }) });
  return ((await answer.json()) as { data: { rotateSecret: unknown } }).data.rotateSecret;
};

/** The request that the next response makes. */
async function next({ formId }: Connected): Promise<ReceivedRequest | undefined> {
  const count = receiver.requests.length;
  await product.submit(formId, 1);
  return (await receiver.waitFor(count + 1))[count];
}

const signaturesOf = (request: ReceivedRequest | undefined): number => String(request?.headers['webhook-signature']).split(' ').length;
const stored = async (id: string): Promise<{ secrets: string[]; secret_ends: string[] }> =>
  (await product.pipeline.pool.query('select secrets, secret_ends from integrations where id = $1', [id])).rows[0];

/** Changes of the organisation's integrations that have all begun before one of them goes on. */
async function atOnce<T>(...changes: (() => Promise<T>)[]): Promise<T[]> {
  const { pool } = product.pipeline;
  const client = await pool.connect();
  await client.query('begin');
  await client.query('select 1 from organizations for update');
  const running = Promise.all(changes.map((change) => change()));
  const waiting = `select count(*)::int as count from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  await expect.poll(async () => (await pool.query(waiting)).rows[0].count).toBe(changes.length);
  await client.query('commit');
  client.release();
  return running;
}

describe('rotating a secret', () => {
  test('has the new and the old one sign, and says until when', async () => {
    const hook = await connect();
    const before = Date.now();
    const { integration, secret } = await rotate(hook.id);
    const end = Date.parse(integration.oldSecretsEndAt ?? '');
    expect(end).toBeGreaterThanOrEqual(before + 86_400_000);
    expect(end).toBeLessThanOrEqual(Date.now() + 86_400_000);
    const request = await next(hook);
    verifySignature(request, secret);
    verifySignature(request, hook.secret);
    expect(signaturesOf(request)).toBe(2);
  });

  test('of which the old one is kept for no time has the new one sign alone', async () => {
    const hook = await connect();
    await rotate(hook.id);
    const { integration, secret } = await rotate(hook.id, '0s');
    expect(integration.oldSecretsEndAt).toBeNull();
    const request = await next(hook);
    verifySignature(request, secret);
    expect(signaturesOf(request)).toBe(1);
    expect(await stored(hook.id)).toMatchObject({ secrets: [expect.any(String)], secret_ends: [] });
  });

  test('shows the new one this once, stores it sealed, and logs that it was done', async () => {
    const hook = await connect();
    const { secret } = await rotate(hook.id);
    expect(JSON.stringify(await product.integration(hook.id, 'name settings status oldSecretsEndAt'))).not.toContain(secret);
    const row = JSON.stringify(await stored(hook.id));
    for (const text of [secret, hook.secret]) expect(row).not.toContain(text.slice(6));
    const line = lines.find((one) => one.includes('"secret.rotated"') && one.includes(hook.id));
    expect(JSON.parse(line ?? '{}')).toMatchObject({ integrationId: hook.id, userId: expect.stringMatching(/^usr_/), by: 'session' });
    for (const text of [secret, hook.secret]) expect(lines.join('\n')).not.toContain(text.slice(6));
  });

  test('twice at the same moment loses neither: all three sign', async () => {
    const hook = await connect();
    const both = await atOnce(() => rotate(hook.id), () => rotate(hook.id));
    const request = await next(hook);
    for (const secret of [hook.secret, ...both.map((one) => one.secret)]) verifySignature(request, secret);
  });

  test('a third time within their time is refused with the end of the first, but not where all old ones are to end', async () => {
    const hook = await connect();
    const { integration } = await rotate(hook.id, '1h');
    await rotate(hook.id);
    const before = await stored(hook.id);
    expect(await refusal({ id: hook.id })).toEqual({
      secret: null,
      errors: [{ code: 'TOO_MANY', path: ['keepOldFor'], message: expect.stringContaining(integration.oldSecretsEndAt ?? 'no end') }],
    });
    expect(await stored(hook.id)).toEqual(before);
    expect((await rotate(hook.id, '0s')).integration.oldSecretsEndAt).toBeNull();
  });

  test.each(['169h', '-1s', 'tomorrow', '', '1e400h'])('is refused for "%s"', async (keepOldFor) => {
    const { id } = await connect();
    expect(await refusal({ id, keepOldFor })).toMatchObject({ secret: null, errors: [{ code: 'INVALID_INPUT', path: ['keepOldFor'], message: expect.stringContaining('168h') }] });
  });

  test('of an integration that signs nothing is refused, and one that is deleted is not found', async () => {
    const hook = await connect();
    const rules = [{ name: 'known', expression: 'age > 1', message: 'x' }];
    const { integration } = await product.run('createIntegration', { formId: hook.formId, settings: { rules: { rules } } }, 'integration { id }');
    expect(await refusal({ id: integration.id })).toMatchObject({ errors: [{ code: 'INVALID_INPUT', path: ['id'], message: expect.stringContaining('signs nothing') }] });
    await product.run('deleteIntegration', { id: hook.id }, 'integration { id }');
    expect(await refusal({ id: hook.id })).toMatchObject({ errors: [{ code: 'NOT_FOUND', path: ['id'] }] });
  });

  test('holds for retries and for what is redelivered', async () => {
    const hook = await connect();
    let isBack = false;
    receiver.respond = () => (isBack ? 200 : 503);
    const first = await next(hook);
    expect(signaturesOf(first)).toBe(1);
    const { secret } = await rotate(hook.id);
    isBack = true;
    const retried = (await receiver.waitFor((requests) => requests.at(-1)?.id === first?.id && signaturesOf(requests.at(-1)) === 2)).at(-1);
    for (const one of [secret, hook.secret]) verifySignature(retried, one);
    receiver.respond = () => 200;

    const leaked = await rotate(hook.id, '0s');
    const [delivery] = (await product.pipeline.pool.query<{ id: string }>(`select id from deliveries where integration_id = $1`, [hook.id])).rows;
    await expect.poll(async () => (await product.pipeline.pool.query('select status from deliveries where id = $1', [delivery?.id])).rows[0]?.status).toBe('delivered');
    const count = receiver.requests.length;
    await product.run('redeliver', { deliveryIds: [delivery?.id] }, 'count');
    const again = (await receiver.waitFor(count + 1))[count];
    expect(again?.id).toBe(first?.id);
    verifySignature(again, leaked.secret);
    expect(signaturesOf(again)).toBe(1);
  });
});
