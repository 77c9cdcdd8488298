import { createClient } from 'graphql-ws';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import { startProduct, type TestProduct } from '../support/product.ts';
import { scrape, type Samples } from '../support/samples.ts';
import { subscribeOverSse, type SseSubscriber } from '../support/subscriber.ts';

let product: TestProduct;
let atFirst: Samples;
let formId: string;
beforeAll(async () => {
  product = await startProduct();
  atFirst = await scrape(product.url);
  const { form } = await product.api.call<{ form: { id: string } }>('mutation ($input: CreateFormInput!) { createForm(input: $input) { form { id } errors { message } } }', {
    title: 'Watched', questions: [{ key: 'age', text: 'Age', kind: 'INTEGER' }],
  });
  formId = form.id;
});
afterAll(() => product[Symbol.asyncDispose]());

const query = (field: string): string => `subscription ($formId: ID!, $after: String) { ${field}(formId: $formId, after: $after) { cursor } }`;
const subscribe = (field = 'responseCreated', variables: object = {}): Promise<SseSubscriber> =>
  subscribeOverSse(product.url, { query: query(field), variables: { formId, ...variables }, token: product.token });
const submit = () => product.api.call('mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', { formId, answers: [{ key: 'age', value: 1 }] });
const of = async (name: string): Promise<number | undefined> => (await scrape(product.url)).get(name);
const startingWith = (samples: Samples, name: string) => [...samples].filter(([sample]) => sample.startsWith(name));

describe('subscribers are told of', () => {
  test('from 0 on, by every label that there will be', () => {
    const counted = (name: string) => startingWith(atFirst, `${name}{`).map(([sample, value]) => [/="([^"]*)"\}$/.exec(sample)?.[1], value]);
    expect(startingWith(atFirst, 'formwire_subscriptions{')).toHaveLength(2 * 4);
    expect(Object.fromEntries(counted('formwire_subscription_items_total'))).toEqual({ responseCreated: 0, responseChanged: 0, deliveryChanged: 0, replayChanged: 0 });
    expect(counted('formwire_subscription_reads_total')).toEqual([['live', 0], ['catch_up', 0]]);
    expect(counted('formwire_subscriptions_ended_total').map(([code]) => code)).toContain('TOO_SLOW');
    expect(counted('formwire_subscriptions_refused_total')).toEqual(['process', 'caller', 'address', 'socket'].map((limit) => [limit, 0]));
    expect(startingWith(atFirst, 'formwire_subscri').filter(([, value]) => value !== 0)).toEqual([]);
  });

  test('while they are there, by transport and topic, and as how many different ones', async () => {
    const open = await Promise.all([subscribe(), subscribe(), subscribe('responseChanged'), subscribe('deliveryChanged')]);
    const socket = createClient({ url: `${product.url.replace('http', 'ws')}/graphql`, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: { authorization: `Bearer ${product.token}` } });
    const overSocket = socket.iterate({ query: query('responseCreated'), variables: { formId } });
    const told = overSocket.next();
    await expect.poll(() => of('formwire_subscriptions{transport="websocket",topic="responseCreated"}')).toBe(1);
    const samples = await scrape(product.url);
    expect(Object.fromEntries(startingWith(samples, 'formwire_subscriptions{transport="sse"'))).toEqual({
      'formwire_subscriptions{transport="sse",topic="responseCreated"}': 2,
      'formwire_subscriptions{transport="sse",topic="responseChanged"}': 1,
      'formwire_subscriptions{transport="sse",topic="deliveryChanged"}': 1,
      'formwire_subscriptions{transport="sse",topic="replayChanged"}': 0,
    });
    expect(samples.get('formwire_subscription_groups')).toBe(3); // the WebSocket shares that of the first two
    expect(startingWith(samples, 'formwire_subscriber_connections').map(([, value]) => value)).toEqual([4, 1]);

    const before = await of('formwire_subscription_items_total{topic="responseCreated"}');
    await submit();
    await Promise.all([...open.slice(0, 2).map((one) => one.until(1)), told]);
    expect(await of('formwire_subscription_items_total{topic="responseCreated"}')).toBe((before ?? 0) + 3);
    expect(await of('formwire_subscription_reads_total{reading="live"}')).toBeGreaterThan(0);
    expect(await of('formwire_subscription_reads_total{reading="catch_up"}')).toBe(0);

    for (const one of open) one.disconnect();
    await socket.dispose();
    await expect.poll(() => of('formwire_subscription_groups')).toBe(0);
    const after = await scrape(product.url);
    expect(startingWith(after, 'formwire_subscriptions{').filter(([, value]) => value > 0)).toEqual([]);
    expect(after.get('formwire_subscriptions_ended_total{code="LEFT"}')).toBe(5);
  });

  test('when they read what they have missed', async () => {
    await submit();
    const first = await subscribe();
    const before = await of('formwire_subscription_reads_total{reading="catch_up"}');
    const late = await subscribe('responseCreated', { after: encodeCursor(positionKey(0)) });
    await late.until(1);
    await expect.poll(() => of('formwire_subscription_reads_total{reading="catch_up"}')).toBeGreaterThan(before ?? 0);
    for (const one of [first, late]) one.disconnect();
  });

  test('when they are ended, by what they were told', async () => {
    const { key, apiKey } = await product.api.call<{ key: string; apiKey: { id: string } }>('mutation ($input: CreateApiKeyInput!) { createApiKey(input: $input) { key apiKey { id } errors { message } } }', { name: 'watch', scopes: ['RESPONSES_READ'] });
    const [byKey, byToken] = await Promise.all([subscribeOverSse(product.url, { query: query('responseCreated'), variables: { formId }, token: key }), subscribe()]);
    await product.api.call('mutation ($input: RevokeApiKeyInput!) { revokeApiKey(input: $input) { errors { message } } }', { id: apiKey.id });
    await byKey.completed();
    await product.api.call('mutation ($input: DeleteFormInput!) { deleteForm(input: $input) { errors { message } } }', { id: formId });
    await byToken.completed();
    expect([await of('formwire_subscriptions_ended_total{code="UNAUTHENTICATED"}'), await of('formwire_subscriptions_ended_total{code="FORBIDDEN"}')]).toEqual([1, 1]);
  });
});
