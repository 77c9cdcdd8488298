import { request } from 'undici';
import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { CallbackRequest } from '../../integrations/provider.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

const publicUrl = 'https://forms.example.org/formwire';
let product: FakeProduct;
let formId: Id<'form'>;
let integrationId: Id<'intg'>;
let calls: CallbackRequest[];

beforeAll(async () => {
  product = await startFakeProduct({ FORMWIRE_PUBLIC_URL: publicUrl });
});
afterAll(() => product[Symbol.asyncDispose]());
beforeEach(async () => {
  service.reset();
  calls = [];
  service.callback = async (call) => {
    calls.push(call);
    return { httpStatus: 204 };
  };
  formId = await product.newForm();
  integrationId = await product.connect(formId);
});

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const send = async (path: string, { method = 'POST', headers = form, body = 'a=1' }: { method?: 'POST' | 'GET'; headers?: Record<string, string>; body?: string } = {}) => {
  const reply = await request(`${product.url}${path}`, { method, headers, ...(method === 'POST' && { body }) });
  return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
};

describe('a callback', () => {
  test('reaches its provider as it was sent, with the address the outside service knows, and is answered without a body', async () => {
    expect(await send(`/callbacks/${integrationId}?event=evt_1&x=%20`, { body: 'SmsSid=SM1&Body=%C3%A9+1' })).toMatchObject({ status: 204, text: '' });
    expect(calls).toMatchObject([{ method: 'POST', url: `${publicUrl}/callbacks/${integrationId}?event=evt_1&x=%20`, body: 'SmsSid=SM1&Body=%C3%A9+1', headers: form }]);
  });

  test('may be JSON', async () => {
    await send(`/callbacks/${integrationId}`, { headers: { 'content-type': 'application/json' }, body: '{"a":1}' });
    expect(calls).toMatchObject([{ body: '{"a":1}' }]);
  });

  test('is taken while its integration is paused, and answered as the provider says', async () => {
    await product.run('updateIntegration', { id: integrationId, paused: true }, 'integration { id }');
    service.callback = async () => ({ httpStatus: 403 });
    expect(await send(`/callbacks/${integrationId}`)).toMatchObject({ status: 403, text: '' });
  });

  test('to what takes none is always the same 404', async () => {
    const deleted = await product.connect(formId);
    await product.run('deleteIntegration', { id: deleted }, 'integration { id }');
    const { integration: webhook } = await product.run('createIntegration', { formId, settings: { webhook: { url: 'https://example.com' } } }, 'integration { id }');
    const paths = [deleted, webhook.id, newId('intg'), 'nonsense', '', `${integrationId}/more`, 'intg_%00'].map((id) => `/callbacks/${id}`);
    const replies = await Promise.all(paths.map((path) => send(path)));
    expect(replies.map(({ status, text }) => ({ status, text }))).toEqual(paths.map(() => ({ status: 404, text: '' })));
    expect(calls).toEqual([]);
  });

  test.for([
    ['by GET', { method: 'GET' }, 405],
    ['of another type', { headers: { 'content-type': 'text/plain' } }, 415],
    ['that is compressed', { headers: { ...form, 'content-encoding': 'gzip' } }, 415],
    ['of more than 64 KiB', { body: 'x'.repeat(65_537) }, 413],
  ] as const)('%s is refused', async ([, options, status]) => {
    expect(await send(`/callbacks/${integrationId}`, options)).toMatchObject({ status });
    expect(calls).toEqual([]);
  });

  test('of 64 KiB is taken', async () => {
    expect(await send(`/callbacks/${integrationId}`, { body: 'x'.repeat(65_536) })).toMatchObject({ status: 204 });
  });

  test('whose provider throws is answered 500, and nothing of the error is shown', async () => {
    service.callback = async () => Promise.reject(new Error('sesame'));
    const { status, text } = await send(`/callbacks/${integrationId}`);
    expect({ status, shows: text.includes('sesame') }).toEqual({ status: 500, shows: false });
  });

  test('sends its delivery again at once, where that was waiting', async () => {
    let attempts = 0;
    service.deliver = async () => ((attempts += 1) === 1 ? { status: 'deferred', reason: 'Asks first.', afterMs: 3_600_000 } : { status: 'delivered' });
    await product.submit(formId, 1);
    const statusOf = async () => (await product.pipeline.pool.query('select status, event_id as "eventId" from deliveries where integration_id = $1', [integrationId])).rows[0];
    await expect.poll(statusOf, { timeout: 10_000 }).toMatchObject({ status: 'pending' });
    const { eventId } = await statusOf();
    service.callback = async () => ({ httpStatus: 200, wake: [eventId] });
    expect(await send(`/callbacks/${integrationId}`)).toMatchObject({ status: 200, text: '' });
    await expect.poll(statusOf, { timeout: 10_000 }).toMatchObject({ status: 'delivered' });
  });
});

test('callers without an account are limited in how often they call back', async () => {
  await using strict = await startFakeProduct({ FORMWIRE_PUBLIC_URL: publicUrl, FORMWIRE_RATE_ADDRESS: '1:20' });
  const call = async (): Promise<number> => (await request(`${strict.url}/callbacks/${newId('intg')}`, { method: 'POST', headers: form, body: 'a=1' })).statusCode;
  const statuses = await Promise.all(Array.from({ length: 100 }, call));
  expect(new Set(statuses)).toEqual(new Set([404, 429]));
});
