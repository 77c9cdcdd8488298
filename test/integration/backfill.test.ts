import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';
import { seedForm, startPipeline, submitHousehold } from '../support/pipeline.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

let product: FakeProduct;
let formId: Id<'form'>;

beforeAll(async () => {
  product = await startFakeProduct();
});
afterAll(() => product[Symbol.asyncDispose]());
beforeEach(async () => {
  service.reset();
  formId = await product.newForm();
});

const fields = 'id kind status reason total done delivered pending dead canceled';
const start = async (integrationId: string, input: object = {}) => (await product.run('startBackfill', { integrationId, ...input }, `job { ${fields} }`)).job;
const finished = async (integrationId: string) => {
  await product.finished(integrationId, 'backfill');
  const { jobs } = await product.integration(integrationId, `jobs { ${fields} }`);
  return jobs.find(({ kind }: { kind: string }) => kind === 'BACKFILL');
};
const deliveredTo = () => service.delivered.map(({ event }) => event.responseId);

describe('a backfill', () => {
  test('delivers what came in before the integration, once each, and says how far it is', async () => {
    const ids = await product.submit(formId, 30);
    const id = await product.connect(formId);
    // the runner may have begun, or be done, before the mutation reads its job
    expect(await start(id)).toMatchObject({ kind: 'BACKFILL', status: expect.stringMatching(/^(WAITING|RUNNING|DONE)$/), reason: null });
    expect(await finished(id)).toMatchObject({ status: 'DONE', total: 30, done: 30, delivered: 30, pending: 0, dead: 0, reason: null });
    expect(deliveredTo().toSorted()).toEqual(ids.toSorted());
  });

  test('sends the current revision of what was amended, and nothing of what was erased', async () => {
    const [amended, erased] = await product.submit(formId, 2);
    const { response } = await product.run('amendResponse', { responseId: amended, expectedRevision: 1, answers: [{ key: 'age', value: 77 }] }, 'response { id }');
    await product.run('eraseResponse', { responseId: erased }, 'response { id }');
    const id = await product.connect(formId);
    await start(id);
    expect(await finished(id)).toMatchObject({ status: 'DONE', total: 2, done: 2, delivered: 1 });
    const [only] = service.delivered;
    expect(JSON.parse(Buffer.from(only?.event.body ?? []).toString())).toMatchObject({ type: 'response.created', data: { response: { id: response.id, revision: 2, answers: [{ value: 77 }] } } });
  });

  test('leaves out what was delivered already, unless that is wanted again', async () => {
    const id = await product.connect(formId);
    await product.submit(formId, 5);
    await expect.poll(() => service.delivered.length, { timeout: 10_000 }).toBe(5);
    await expect.poll(async () => (await product.pipeline.pool.query(`select 1 from deliveries where integration_id = $1 and status = 'delivered'`, [id])).rowCount).toBe(5);
    await start(id);
    expect(await finished(id)).toMatchObject({ status: 'DONE', done: 5, delivered: 0 });
    await start(id, { again: true });
    expect(await finished(id)).toMatchObject({ status: 'DONE', done: 5, delivered: 5 });
    expect(service.delivered).toHaveLength(10);
  });

  test('keeps to the time that was asked for', async () => {
    const ids = await product.submit(formId, 3);
    const { pool } = product.pipeline;
    for (const [index, id] of ids.entries()) await pool.query('update responses set submitted_at = $2 where id = $1', [id, new Date(Date.UTC(2026, 0, 1 + index))]);
    const id = await product.connect(formId);
    await start(id, { since: '2026-01-02T00:00:00Z', until: '2026-01-03T00:00:00Z' });
    expect(await finished(id)).toMatchObject({ total: 1, delivered: 1 });
    expect(deliveredTo()).toEqual([ids[1]]);
  });

  test('of an integration for every form walks all of them, and nothing of another organisation', async () => {
    const ids = await product.submit(formId, 3);
    await product.newForm(); // which has none
    ids.push(...(await product.submit(await product.newForm(), 2)));
    const others = await seedForm(product.databaseUrl);
    const theirs = await submitHousehold(product.pipeline, { formId: others.formId, count: 2 });
    const id = await product.connect(null);
    await start(id);
    expect(await finished(id)).toMatchObject({ status: 'DONE' });
    expect(deliveredTo().filter((one) => ids.includes(one)).toSorted()).toEqual(ids.toSorted());
    expect(deliveredTo().filter((one) => theirs.includes(one))).toEqual([]);
    await product.run('deleteIntegration', { id }, 'integration { id }');
  });

  test('goes on in order where its integration is ordered', async () => {
    const ids = await product.submit(formId, 60);
    const id = await product.connect(formId, { ordered: true });
    await start(id);
    await finished(id);
    expect(deliveredTo()).toEqual(ids.toSorted());
  });

  test('says what was given up on', async () => {
    await product.submit(formId, 4);
    const id = await product.connect(formId);
    service.deliver = async ({ event }) => (Buffer.from(event.body).includes('"value":2,') ? { status: 'rejected', error: 'REFUSED', reason: 'No twos.' } : { status: 'delivered' });
    await start(id);
    expect(await finished(id)).toMatchObject({ status: 'DONE', delivered: 3, dead: 1 });
  });

  test('makes no more than a bounded number ahead of what is delivered, and goes on when that is through', { timeout: 60_000 }, async () => {
    for (let batch = 0; batch < 2; batch += 1) await product.submit(formId, 700);
    const id = await product.connect(formId);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    const { id: jobId } = await start(id);
    const jobOf = async () => (await product.api.call<Record<string, unknown>>(`{ node(id: "${jobId}") { ... on Job { ${fields} } } }`));
    await expect.poll(jobOf, { timeout: 10_000 }).toMatchObject({ status: 'RUNNING', pending: 500, done: 500, reason: 'Waits until what it has made is delivered.' });
    await product.run('updateIntegration', { id, paused: false }, 'integration { id }');
    await product.pipeline.pool.query('update jobs set next_attempt_at = now() where id = $1', [jobId]);
    await expect.poll(jobOf, { timeout: 40_000 }).toMatchObject({ status: 'DONE', total: 1400, delivered: 1400 });
    expect(new Set(deliveredTo()).size).toBe(1400);
    expect(service.delivered).toHaveLength(1400);
  });

  test('is refused while one is under way, of what gets no deliveries, and of a time that ends before it begins', async () => {
    const id = await product.connect(formId);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    await product.submit(formId, 1);
    await start(id);
    await expect(start(id)).rejects.toThrow('under way');
    const settings = { rules: { rules: [{ name: 'a', expression: 'age > 1', message: 'x' }] } };
    const { integration } = await product.run('createIntegration', { formId, settings }, 'integration { id }');
    await expect(start(integration.id)).rejects.toThrow('gets no deliveries');
    await expect(start(id, { since: '2026-01-02T00:00:00Z', until: '2026-01-02T00:00:00Z' })).rejects.toThrow('not after');
  });
});

test('a backfill whose process stops in the middle goes on in another, and sends no response twice', { timeout: 60_000 }, async () => {
  await using own = await startFakeProduct();
  const form = await own.newForm();
  const ids = await own.submit(form, 700);
  const id = await own.connect(form);
  await own.run('startBackfill', { integrationId: id }, 'job { id }');
  await expect.poll(() => service.delivered.length, { timeout: 20_000 }).toBeGreaterThan(100);
  await own.pipeline.stop();
  expect(service.delivered.length).toBeLessThan(700);
  await using other = startPipeline({ databaseUrl: own.databaseUrl, natsUrl: own.nats.url });
  await expect.poll(async () => (await other.pool.query('select status from jobs where integration_id = $1 and kind = $2', [id, 'backfill'])).rows, { timeout: 30_000 }).toEqual([{ status: 'done' }]);
  expect(deliveredTo().toSorted()).toEqual(ids.toSorted());
});

describe('a backfill that is canceled', () => {
  test('ends with what it has pending, and another can begin', async () => {
    await product.submit(formId, 20);
    const id = await product.connect(formId);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    const { id: jobId } = await start(id);
    await expect.poll(async () => (await product.integration(id, 'jobs { pending }')).jobs[0].pending, { timeout: 10_000 }).toBe(20);
    const { job } = await product.run('cancelBackfill', { id: jobId }, `job { ${fields} }`);
    expect(job).toMatchObject({ status: 'CANCELED', pending: 0, canceled: 20, delivered: 0 });
    await expect(product.run('cancelBackfill', { id: jobId }, 'job { id }')).rejects.toThrow('it is canceled');
    await product.run('updateIntegration', { id, paused: false }, 'integration { id }');
    await start(id);
    expect(await finished(id)).toMatchObject({ status: 'DONE', delivered: 20 });
    expect(service.delivered).toHaveLength(20);
  });

  test('ends with its integration', async () => {
    await product.submit(formId, 20);
    const id = await product.connect(formId);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    await start(id);
    await expect.poll(async () => (await product.integration(id, 'jobs { pending }')).jobs[0].pending, { timeout: 10_000 }).toBe(20);
    await product.run('deleteIntegration', { id }, 'integration { id }');
    expect(await product.finished(id, 'backfill')).toMatchObject({ status: 'canceled', reason: 'The integration was deleted.' });
    expect((await product.pipeline.pool.query(`select 1 from deliveries where integration_id = $1 and status = 'pending'`, [id])).rowCount).toBe(0);
  });
});
