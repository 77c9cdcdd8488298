import { afterAll, beforeAll, expect, test, vi } from 'vitest';
import { startProduct, type TestProduct } from '../support/product.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { subscribeOverSse, type SseSubscriber } from '../support/subscriber.ts';

let product: TestProduct;
let receiver: Receiver;
let formId: string;
let integrationId: string;
const count = 20;

beforeAll(async () => {
  product = await startProduct();
  receiver = await startReceiver();
  formId = (await run('createForm', { title: 'Lunch', questions: [{ key: 'many', text: 'How many?', kind: 'INTEGER' }] }, 'form { id }')).form.id;
  integrationId = (await run('createIntegration', { formId, settings: { webhook: { url: receiver.url } } }, 'integration { id }')).integration.id;
  const responses = Array.from({ length: count }, (_, value) => ({ formId, answers: [{ key: 'many', value }] }));
  await run('submitResponses', { responses }, 'results { response { id } }');
  await receiver.waitFor(count);
  await vi.waitUntil(async () => (await product.pipeline.pool.query('select 1 from outbox')).rowCount === 0, { timeout: 10_000 });
});
afterAll(async () => {
  await receiver.close();
  await product[Symbol.asyncDispose]();
});

// oxlint-disable-next-line typescript/no-explicit-any -- tests know what they asked for
const run = <T = any>(name: string, input: object, selection: string): Promise<T> =>
  product.api.call(`mutation ($input: ${name.charAt(0).toUpperCase()}${name.slice(1)}Input!) { ${name}(input: $input) { ${selection} errors { code message } } }`, input as Record<string, unknown>);
const query = 'subscription ($id: ID!) { replayChanged(id: $id) { status total made delivered pending } }';
const watch = (id: string, options: { token?: string | undefined; lastEventId?: string } = {}): Promise<SseSubscriber> => subscribeOverSse(product.url, { query, variables: { id }, token: product.token, ...options });
const states = ({ told }: SseSubscriber) => told.map(({ result }) => result.data.replayChanged);
const start = async (): Promise<string> => {
  const { preview } = await run('previewReplay', { formId, since: '2020-01-01T00:00:00Z', mode: 'EVERYTHING' }, 'preview { token }');
  return (await run('startReplay', { token: preview.token }, 'replay { id }')).replay.id;
};

test('whoever watches a replay is told how it stands, and each change, until it has ended', { timeout: 60_000 }, async () => {
  await run('updateIntegration', { id: integrationId, paused: true }, 'integration { id }');
  const id = await start();
  const [one, other] = [await watch(id), await watch(id)];
  await one.until(1);
  expect(states(one)[0]).toMatchObject({ status: 'RUNNING', total: count, delivered: 0 });
  await run('pauseReplay', { id }, 'replay { id }');
  await expect.poll(() => states(one).at(-1)?.status, { timeout: 10_000 }).toBe('PAUSED');
  await run('resumeReplay', { id }, 'replay { id }');
  await run('updateIntegration', { id: integrationId, paused: false }, 'integration { id }');
  const done = { status: 'DONE', total: count, made: count, delivered: count, pending: 0 };
  for (const subscriber of [one, other]) await expect.poll(() => states(subscriber).at(-1), { timeout: 20_000 }).toEqual(done);
  const made = states(one).map((state) => state.made);
  expect(made).toEqual(made.toSorted((a, b) => a - b));
  expect(one.told.map(({ id: cursor }) => cursor).length).toBe(new Set(one.told.map(({ id: cursor }) => cursor)).size);

  // no cursor is too old, and none keeps the present state from whoever comes back with it
  const back = await watch(id, { lastEventId: one.lastId() ?? '' });
  await back.until(1);
  expect(states(back)).toEqual([done]);
  for (const subscriber of [one, other, back]) subscriber.disconnect();
});

test('a replay of somebody else, or none, is not watched', async () => {
  const id = await start();
  const { token } = await product.stranger.call<{ token: string }>('mutation ($input: RegisterInput!) { register(input: $input) { token errors { message } } }', { username: 'other', email: 'other@example.org', password: 'correct horse battery' });
  const codeOf = async (subscriber: SseSubscriber): Promise<unknown> => (await subscriber.completed())[0]?.result.errors[0].extensions.code;
  expect(await codeOf(await watch(id, { token }))).toBe('NOT_FOUND');
  expect(await codeOf(await watch(id, { token: undefined }))).toBe('UNAUTHENTICATED');
  expect(await codeOf(await watch('rpl_x'))).toBe('NOT_FOUND');
});
