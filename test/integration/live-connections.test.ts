import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertResponse } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
beforeAll(async () => {
  api = await startDeliveryApi({ limits: { requests: 20 } });
  owner = await api.newOwner();
  formId = (await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'TEXT' }])).id;
});
afterAll(() => api[Symbol.asyncDispose]());

/** Requests as they stand on the wire. */
const post = (body: object, accept: string): string => {
  const text = JSON.stringify(body);
  return `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\naccept: ${accept}\r\nauthorization: Bearer ${owner.token}\r\ncontent-length: ${text.length}\r\n\r\n${text}`;
};
const question = (): string => post({ query: '{ me { id } }' }, 'application/json');
const subscription = (): string => post({ query: 'subscription ($formId: ID!) { responseCreated(formId: $formId) { response { id } } }', variables: { formId } }, 'text/event-stream');

/** A client that sends what it likes, when it likes. */
async function dial(): Promise<{ socket: Socket; received: () => string; isClosed: () => boolean }> {
  const socket = connect({ port: Number(new URL(api.url).port), host: '127.0.0.1' });
  await once(socket, 'connect');
  let text = '';
  let isClosed = false;
  socket.on('data', (chunk) => (text += chunk)).on('error', () => undefined).once('close', () => (isClosed = true));
  return { socket, received: () => text, isClosed: () => isClosed };
}

describe('a subscription has its connection for itself', () => {
  test.each([
    ['before it', () => question() + subscription()],
    ['after it', () => subscription() + question()],
  ])('and is refused where another request is under way %s, which is answered', async (_name, requests) => {
    const { socket, received } = await dial();
    socket.write(requests());
    await expect.poll(() => received().match(/HTTP\/1\.1 \d+/g)?.toSorted()).toEqual(['HTTP/1.1 200', 'HTTP/1.1 400']);
    expect(received()).toContain('a connection of its own');
    expect(received()).toContain('"me"');
    socket.destroy();
  });

  test('and ends with what comes on it later, so that nothing waits behind it', async () => {
    const clients = await Promise.all(Array.from({ length: 3 }, () => dial()));
    for (const { socket, received } of clients) {
      socket.write(subscription());
      await expect.poll(received).toContain('text/event-stream');
      socket.write(question().repeat(10));
    }
    await expect.poll(() => clients.every(({ isClosed }) => isClosed())).toBe(true);
    expect((await api.post({ query: '{ me { id } }' }, { token: owner.token })).status).toBe(200); // 20 may be under way
  });

  test('and leaves it to others when it has ended', async () => {
    const { socket, received } = await dial();
    socket.write(subscription().replaceAll(formId, `${formId.slice(0, -1)}!`));
    await expect.poll(received).toContain('event: complete');
    socket.write(question());
    await expect.poll(received).toContain('"me"');
    socket.destroy();
  });

  test('and after a request that was answered', async () => {
    const { socket, received } = await dial();
    socket.write(question());
    await expect.poll(received).toContain('"me"');
    socket.write(subscription());
    await expect.poll(received).toContain('text/event-stream');
    const id = await insertResponse(api.pool, { formId });
    await expect.poll(received).toContain(id);
    socket.destroy();
  });
});
