import { afterAll, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';
import { startPipeline } from '../support/pipeline.ts';

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

const settled = (id: string) => product.finished(id, 'connect');
const stateOf = (id: string) => product.integration(id, 'status statusReason resourceUrl');

describe('an integration', () => {
  test('is connected after it was created, and shows what came of it', async () => {
    const id = await product.connect(formId);
    await settled(id);
    expect(service.connected).toMatchObject([{ integrationId: id, form: { id: formId, version: 1, title: 'Survey' } }]);
    expect(await stateOf(id)).toEqual({ status: 'ACTIVE', statusReason: null, resourceUrl: `https://fake.example/${id}` });
  });

  test('that is made of a provider without a connection leaves no job', async () => {
    const { integration } = await product.run('createIntegration', { formId, settings: { webhook: { url: 'https://example.com' } } }, 'integration { id }');
    await product.run('updateForm', { id: formId, title: 'Another' }, 'form { id }');
    expect(await product.jobs(integration.id, 'connect')).toEqual([]);
  });

  test('is connected again after it was changed, and as often as its form gets a version or another address', async () => {
    const id = await product.connect(formId);
    const again = async (change: () => Promise<unknown>): Promise<unknown> => {
      await change();
      await settled(id);
      const { form } = service.connected.at(-1) ?? {};
      return { calls: service.connected.length, version: form?.version, email: form?.email };
    };
    const email = 'owner@example.org';
    expect(await again(async () => undefined)).toEqual({ calls: 1, version: 1, email });
    expect(await again(() => product.run('updateIntegration', { id, name: 'Other' }, 'integration { id }'))).toEqual({ calls: 2, version: 1, email });
    expect(await again(() => product.run('updateForm', { id: formId, title: 'Other' }, 'form { id }'))).toEqual({ calls: 3, version: 2, email });
    expect(await again(() => product.run('addQuestion', { formId, question: { text: 'More?', kind: 'TEXT' } }, 'form { id }'))).toEqual({ calls: 4, version: 3, email });
    expect(await again(() => product.run('updateForm', { id: formId, email: 'desk@example.org' }, 'form { id }'))).toEqual({ calls: 5, version: 3, email: 'desk@example.org' });
    expect(await again(() => product.run('updateForm', { id: formId, description: 'Nothing of theirs' }, 'form { id }'))).toMatchObject({ calls: 5 });
  });

  test('is not called while it is paused, and caught up with when it is resumed', async () => {
    const id = await product.connect(formId);
    await settled(id);
    await product.run('updateIntegration', { id, paused: true }, 'integration { id }');
    await product.run('updateForm', { id: formId, title: 'Meanwhile' }, 'form { id }');
    await settled(id);
    expect(service.connected).toHaveLength(1);
    await product.run('updateIntegration', { id, paused: false }, 'integration { id }');
    await settled(id);
    expect(service.connected.map(({ form }) => form?.title)).toEqual(['Survey', 'Meanwhile']);
  });

  test('whose settings do not fit the form any more is failing, names the first fault and how many, and is well when they fit again', async () => {
    const id = await product.connect(formId, { needs: ['age'] });
    await settled(id);
    expect(await stateOf(id)).toMatchObject({ status: 'ACTIVE' });
    const { form } = await product.run('updateForm', { id: formId, title: 'Survey' }, 'form { questions { id } }');
    await product.run('updateQuestion', { id: form.questions[0].id, key: 'years' }, 'form { id }');
    await settled(id);
    expect(await stateOf(id)).toMatchObject({ status: 'FAILING', statusReason: 'The settings do not fit the form any more: There is no question age.' });
    await product.run('addQuestion', { formId, question: { text: 'Age', key: 'age', kind: 'TEXT' } }, 'form { id }');
    await settled(id);
    expect(await stateOf(id)).toMatchObject({ status: 'ACTIVE', statusReason: null });
  });

  test('goes on delivering while something of it does not fit', async () => {
    const id = await product.connect(formId, { needs: ['age'] });
    const { form } = await product.run('updateForm', { id: formId, title: 'Survey' }, 'form { questions { id } }');
    await product.run('updateQuestion', { id: form.questions[0].id, key: 'years' }, 'form { id }');
    await settled(id);
    await product.run('submitResponse', { formId, answers: [] }, 'response { id }');
    await expect.poll(() => service.delivered.length, { timeout: 10_000 }).toBe(1);
    expect(await stateOf(id)).toMatchObject({ status: 'FAILING' });
  });
});

describe('a connection', () => {
  test('that fails for a while is tried again, until it is there', async () => {
    let calls = 0;
    service.connect = async () => ((calls += 1) < 3 ? { status: 'retry', error: 'TIMEOUT', reason: 'Too slow.' } : { status: 'done' });
    const id = await product.connect(formId);
    expect(await settled(id)).toMatchObject({ status: 'done', reason: null });
    expect(calls).toBe(3);
    expect(await stateOf(id)).toMatchObject({ status: 'ACTIVE' });
  });

  test('that fails for the whole schedule is given up, and the integration says why', async () => {
    service.connect = async () => ({ status: 'retry', error: 'TIMEOUT', reason: 'Too slow.' });
    await using hasty = await startFakeProduct({ FORMWIRE_RETRY_SCHEDULE: '1ms,1ms' });
    const id = await hasty.connect(await hasty.newForm());
    expect(await hasty.finished(id, 'connect')).toMatchObject({ status: 'failed', reason: 'Given up after 3 attempts. Too slow.' });
    expect(await hasty.integration(id, 'status statusReason')).toEqual({ status: 'FAILING', statusReason: 'Given up after 3 attempts. Too slow.' });
  });

  test('whose provider throws is tried again, and nothing of the error is shown', async () => {
    let calls = 0;
    service.connect = async () => {
      if ((calls += 1) === 1) throw new Error('the password is sesame');
      return { status: 'done' };
    };
    const id = await product.connect(formId);
    expect(await settled(id)).toMatchObject({ status: 'done' });
    expect(calls).toBe(2);
  });

  test('that needs the owner disables the integration, with the reason, until they change it', async () => {
    service.connect = async () => ({ status: 'broken', error: 'REFUSED', reason: 'The access was revoked.' });
    const id = await product.connect(formId);
    await settled(id);
    expect(await stateOf(id)).toMatchObject({ status: 'DISABLED', statusReason: 'The access was revoked.' });
    service.reset();
    await product.run('updateIntegration', { id, settings: { fake: {} } }, 'integration { id }');
    await settled(id);
    expect(await stateOf(id)).toMatchObject({ status: 'ACTIVE', statusReason: null, resourceUrl: `https://fake.example/${id}` });
  });

  test.for(['throttled', 'blocked'] as const)('that is %s waits, counts no attempt, and says why', async (status) => {
    service.connect = async () => ({ status, reason: 'Not now.' });
    const id = await product.connect(formId);
    await expect.poll(() => product.jobs(id, 'connect')).toMatchObject([{ status: 'running', reason: 'Not now.', attempts: 0 }]);
    expect(await stateOf(id)).toMatchObject(status === 'blocked' ? { status: 'FAILING', statusReason: 'Not now.' } : { status: 'ACTIVE' });
  });

  test('asked for while one is being made is made once more, with what was changed', async () => {
    const { promise, resolve } = Promise.withResolvers<void>();
    service.connect = async () => {
      await promise;
      return { status: 'done' };
    };
    const id = await product.connect(formId);
    await expect.poll(() => service.connected.length).toBe(1);
    await product.run('updateForm', { id: formId, title: 'Second' }, 'form { id }');
    await product.run('updateForm', { id: formId, title: 'Third' }, 'form { id }');
    resolve();
    await settled(id);
    expect(service.connected.map(({ form }) => form?.title)).toEqual(['Survey', 'Third']);
    expect(await product.jobs(id, 'connect')).toHaveLength(1);
  });

  test('does not keep a mutation waiting, however long it takes', async () => {
    service.connect = ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ status: 'retry', error: 'ABORTED', reason: 'Aborted.' })));
    const id = await product.connect(formId);
    await expect.poll(() => service.connected.length).toBe(1);
    await product.run('updateIntegration', { id, name: 'Meanwhile' }, 'integration { id }');
    await product.run('deleteIntegration', { id }, 'integration { id }');
    await product.finished(id, 'disconnect');
  });
});

describe('what was connected', () => {
  test('is taken away with its integration', async () => {
    const id = await product.connect(formId);
    await settled(id);
    await product.run('deleteIntegration', { id }, 'integration { id }');
    expect(await product.finished(id, 'disconnect')).toMatchObject({ status: 'done' });
    expect(service.disconnected).toEqual([id]);
  });

  test('is taken away with its form, what is for every form is not', async () => {
    const [id, everywhere] = [await product.connect(formId), await product.connect(null)];
    await settled(id);
    await product.run('deleteForm', { id: formId }, 'form { id }');
    expect(await product.finished(id, 'disconnect')).toMatchObject({ status: 'done' });
    expect(service.disconnected).toEqual([id]);
    await product.run('deleteIntegration', { id: everywhere }, 'integration { id }');
    await product.finished(everywhere, 'disconnect');
  });

  test('is not taken away before a connection under way has ended, which is told to', async () => {
    const order: string[] = [];
    service.connect = ({ signal }) =>
      new Promise((resolve) => {
        signal.addEventListener('abort', () => {
          order.push('connect ended');
          resolve({ status: 'done' });
        });
      });
    service.disconnect = async () => {
      order.push('disconnect');
      return { status: 'done' };
    };
    const id = await product.connect(formId);
    await expect.poll(() => service.connected.length).toBe(1);
    await product.run('deleteIntegration', { id }, 'integration { id }');
    await product.finished(id, 'disconnect');
    expect(order).toEqual(['connect ended', 'disconnect']);
    expect(await product.jobs(id, 'connect')).toMatchObject([{ status: 'canceled' }]);
  });
});

test('an organisation whose services hang holds up no other one', async () => {
  const { promise, resolve } = Promise.withResolvers<void>();
  const hanging = new Set<string>();
  service.connect = async ({ integrationId }) => {
    if (hanging.size < 6 || hanging.has(integrationId)) await promise;
    return { status: 'done' };
  };
  for (let count = 0; count < 6; count += 1) hanging.add(await product.connect(formId));
  await expect.poll(() => service.connected.length).toBeGreaterThanOrEqual(3);

  const somebody = { username: 'other', email: 'other@example.org', password: 'correct horse battery' };
  const { token } = await product.stranger.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', somebody);
  product.api.login(token);
  await product.finished(await product.connect(await product.newForm()), 'connect');
  product.api.login(product.token);
  resolve();
  for (const id of hanging) await product.finished(id, 'connect');
});

test('what a process that stops is at, another goes on with at once, not when the claim runs out', { timeout: 60_000 }, async () => {
  const longClaims = { FORMWIRE_LEASE: '20m' };
  await using own = await startFakeProduct(longClaims);
  service.connect = ({ signal }) => new Promise((resolve) => signal.addEventListener('abort', () => resolve({ status: 'retry', error: 'ABORTED', reason: 'Aborted.' })));
  const id = await own.connect(await own.newForm());
  await expect.poll(() => service.connected.length).toBe(1);
  await own.pipeline.stop();
  service.connect = async () => ({ status: 'done' });
  await using other = startPipeline({ databaseUrl: own.databaseUrl, natsUrl: own.nats.url, settings: longClaims });
  const jobs = async () => (await other.pool.query('select status, attempts from jobs where integration_id = $1', [id])).rows;
  await expect.poll(jobs, { timeout: 20_000 }).toEqual([{ status: 'done', attempts: 0 }]);
  expect(service.connected).toHaveLength(2);
});
