import { once } from 'node:events';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { subscribeOverSse } from '../support/subscriber.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
beforeAll(async () => {
  api = await startDeliveryApi({ limits: { callerSubscriptionChars: 600 } });
  owner = await api.newOwner();
  formId = (await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'TEXT' }])).id;
});
afterAll(() => api[Symbol.asyncDispose]());

/** One that differs from all others, of some 250 characters; two of one caller are within the limit. */
const different = (name: string): string => `subscription ${name} { responseCreated(formId: "${formId}") { cursor ${'event { id } '.repeat(12)}} }`;
const subscribe = (query: string, { token } = owner) => subscribeOverSse(api.url, { query, token });

test('over SSE, who keeps many different queries is refused the next, until one of them is over', async () => {
  const other = await api.newOwner();
  const [first, second] = [await subscribe(different('A')), await subscribe(different('B'))];
  const refused = await subscribe(different('C'));
  expect(refused.status()).toBe(429);
  const shared = await subscribe(different('B'));
  expect(shared.status()).toBe(200);
  const stranger = await subscribe('subscription { responseCreated(formId: "none") { cursor } }', other);
  expect(stranger.status()).toBe(200);

  first.disconnect();
  await expect.poll(async () => (await subscribe(different('D'))).status()).toBe(200);
  for (const { disconnect } of [second, shared]) disconnect();
});

test('over a WebSocket too, and what is refused or over is given back', async () => {
  const { token } = await api.newOwner();
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const received: { id?: string; type: string; payload?: unknown }[] = [];
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
  const send = (message: object): void => socket.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } });
  const ask = async (id: string, query: string): Promise<void> => {
    send({ id, type: 'subscribe', payload: { query } });
    await expect.poll(() => received.some((message) => message.id === id)).toBe(true);
  };

  // not this caller's form: each is refused as such, and keeps nothing
  for (const id of ['1', '2', '3', '4']) await ask(id, different(`E${id}`));
  expect(JSON.stringify(received)).not.toContain('TOO_MANY_SUBSCRIPTIONS');
  await ask('5', `subscription { responseCreated(formId: "none") { ${'cursor '.repeat(100)} } }`);
  expect(received.at(-1)).toMatchObject({ id: '5', type: 'error', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', retryAfterMs: 5_000 } }] });
  socket.close();
});
