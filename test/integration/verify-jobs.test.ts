import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

let product: FakeProduct;
let formId: Id<'form'>;
let integrationId: Id<'intg'>;

beforeAll(async () => {
  product = await startFakeProduct();
});
afterAll(() => product[Symbol.asyncDispose]());
beforeEach(async () => {
  service.reset();
  formId = await product.newForm();
  integrationId = await product.connect(formId);
});

const fields = 'id kind status reason total done delivered pending differing surplus surplusFound differences { responseId difference }';
const submitted = async (count: number) => {
  const ids = await product.submit(formId, count);
  await expect.poll(async () => (await product.pipeline.pool.query(`select 1 from deliveries where integration_id = $1 and status = 'delivered'`, [integrationId])).rowCount, { timeout: 10_000 }).toBe(count);
  return ids;
};
const verified = async (input: object = {}) => {
  const { job } = await product.run('verifySheet', { integrationId, ...input }, 'job { id }');
  await product.finished(integrationId, 'verify');
  return job_(job.id);
};
const job_ = (id: string) => product.api.call<Record<string, unknown>>(`{ node(id: "${id}") { ... on Job { ${fields} } } }`);

describe('a comparison', () => {
  test('goes through all responses as they are now, a page at a time, with the ids of those that are erased', async () => {
    const ids = (await submitted(501)).toSorted();
    await product.run('eraseResponse', { responseId: ids[0] }, 'response { id }');
    const { response } = await product.run('amendResponse', { responseId: ids[1], expectedRevision: 1, answers: [{ key: 'age', value: 5 }] }, 'response { id }');
    expect(await verified()).toMatchObject({ kind: 'VERIFY', status: 'DONE', total: 501, done: 501, differing: 0, surplus: 0, differences: [] });
    expect(service.pages.map(({ events, erased, isLast, repair }) => [events.length, erased, isLast, repair])).toEqual([[499, [ids[0]], false, false], [1, [], true, false]]);
    expect(service.pages.flatMap(({ events }) => events.map(({ responseId }) => responseId))).toEqual([response.id, ...ids.slice(2)]);
    expect(service.pages[0]?.events[0]).toMatchObject({ type: 'response.created', formId });
  });

  test('tells what differs, and leaves it', async () => {
    const [id] = await submitted(2);
    service.verify = async () => ({ status: 'done', differing: [{ responseId: id ?? 'resp_none', difference: 'Its row is gone.' }], surplus: ['Row 7 belongs to nobody.'] });
    expect(await verified()).toMatchObject({ differing: 1, surplus: 1, differences: [{ responseId: id, difference: 'Its row is gone.' }], surplusFound: ['Row 7 belongs to nobody.'], delivered: 0 });
    expect(service.delivered).toHaveLength(2);
  });

  test('delivers again what differs, where that is wanted', async () => {
    const [id] = await submitted(3);
    service.verify = async ({ repair }) => ({ status: 'done', differing: repair ? [{ responseId: id ?? 'resp_none', difference: 'Its row is gone.' }] : [], surplus: [] });
    expect(await verified({ repair: true })).toMatchObject({ status: 'DONE', differing: 1, delivered: 1, pending: 0 });
    expect(service.delivered.map(({ event }) => event.responseId).slice(3)).toEqual([id]);
  });

  test('does not count as different what is on its way there', async () => {
    await submitted(1);
    service.deliver = async () => ({ status: 'throttled', reason: 'Full.', afterMs: 3_600_000 });
    const [late] = await product.submit(formId, 1);
    await expect.poll(async () => (await product.pipeline.pool.query(`select 1 from deliveries where response_id = $1 and status = 'pending'`, [late])).rowCount, { timeout: 10_000 }).toBe(1);
    service.verify = async () => ({ status: 'done', differing: [{ responseId: late ?? 'resp_none', difference: 'Not there.' }], surplus: [] });
    expect(await verified()).toMatchObject({ differing: 0, differences: [] });
  });

  test('keeps the first hundred differences, and counts all', async () => {
    const ids = await submitted(120);
    service.verify = async () => ({ status: 'done', differing: ids.map((responseId) => ({ responseId, difference: 'x'.repeat(600) })), surplus: [] });
    const job = await verified();
    expect(job).toMatchObject({ differing: 120 });
    expect(job['differences']).toHaveLength(100);
    expect((job['differences'] as { difference: string }[])[0]?.difference).toHaveLength(500);
  });

  test('forgets what it said of a response that is erased', async () => {
    const ids = await submitted(2);
    service.verify = async () => ({ status: 'done', differing: ids.map((responseId) => ({ responseId, difference: 'It says 7.' })), surplus: [] });
    const { id } = await verified();
    await product.run('eraseResponse', { responseId: ids[0] }, 'response { id }');
    expect(await job_(String(id))).toMatchObject({ differing: 2, differences: [{ responseId: ids[1] }] });
  });

  test('that is held up goes on where it was', async () => {
    await submitted(501);
    let calls = 0;
    service.verify = async () => ((calls += 1) === 2 ? { status: 'retry', error: 'TIMEOUT', reason: 'Too slow.' } : { status: 'done', differing: [], surplus: [] });
    expect(await verified()).toMatchObject({ status: 'DONE', done: 501 });
    expect(service.pages.map(({ events }) => events.length)).toEqual([500, 1, 1]);
  });

  test('of what cannot be compared is refused', async () => {
    const { integration } = await product.run('createIntegration', { formId, settings: { webhook: { url: 'https://example.com' } } }, 'integration { id }');
    await expect(product.run('verifySheet', { integrationId: integration.id }, 'job { id }')).rejects.toThrow('cannot be compared');
  });
});
