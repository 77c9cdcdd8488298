import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
beforeAll(async () => {
  api = await startDeliveryApi({ limits: { unreadBytes: 100_000, socketSubscriptions: 5, socketMessageBytes: 10_000 } });
  owner = await api.newOwner();
  formId = (await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'TEXT' }])).id;
});
afterAll(() => api[Symbol.asyncDispose]());

const address = (): { port: number; host: string } => ({ port: Number(new URL(api.url).port), host: '127.0.0.1' });
const isAlive = async (): Promise<boolean> => (await fetch(`${api.url}/livez`)).ok;
const query = 'subscription ($formId: ID!) { responseCreated(formId: $formId) { cursor } }';

/** A client that asks for an upgrade and never ends its side of the connection. */
async function upgrade(target: string, headers = 'sec-websocket-protocol: graphql-transport-ws\r\n'): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect({ ...address(), allowHalfOpen: true });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => (text += chunk)).on('error', () => undefined);
  socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`);
  return { socket, received: () => text };
}

/** A WebSocket that has said who it is. */
async function openSocket(): Promise<{ socket: WebSocket; received: { id: string; type: string; payload: any }[]; send: (message: object) => void }> { // oxlint-disable-line typescript/no-explicit-any -- tests know what they asked for
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  await once(socket, 'open');
  const received: { id: string; type: string; payload: unknown }[] = [];
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
  const send = (message: object): void => socket.send(JSON.stringify(message));
  send({ type: 'connection_init', payload: { authorization: `Bearer ${owner.token}` } });
  await expect.poll(() => received.length).toBe(1);
  return { socket, received, send };
}

describe('an upgrade', () => {
  test.each(['//', '//[', '/graphql\\..', 'http://[', '*', '/'])('to %s is refused, and the process goes on', async (target) => {
    const { socket, received } = await upgrade(target);
    await expect.poll(received).toMatch(/^HTTP\/1.1 4\d\d /);
    socket.destroy();
    expect(await isAlive()).toBe(true);
  });

  test('that is refused leaves no connection behind, though the client never ends its own', async () => {
    const { socket, received } = await upgrade('/other');
    await expect.poll(received).toMatch(/^HTTP\/1.1 404 /);
    socket.write('x'); // to a closed connection: reset
    await expect.poll(() => {
      if (!socket.destroyed) socket.write('x');
      return socket.destroyed;
    }).toBe(true);
  });
});

describe('over a WebSocket', () => {
  test('who is closed and never says so too is cut soon', async () => {
    const { socket, received } = await upgrade('/graphql');
    await expect.poll(received).toContain('101 Switching Protocols');
    let isOver = false;
    socket.once('end', () => (isOver = true)).once('close', () => (isOver = true));
    socket.write(Buffer.from([0x81, 0x82, 0, 0, 0, 0, 0x7b, 0x7d])); // {}, which is no message
    await expect.poll(() => isOver, { timeout: 10_000 }).toBe(true);
    socket.destroy();
  });

  test('what one asks for and does not read is not made without end', async () => {
    const { socket, send } = await openSocket();
    socket.pause();
    // more answers than the system keeps of a connection
    for (let id = 0; id < 60_000; id += 1) send({ id: `${id}`.padEnd(100, '-'), type: 'subscribe', payload: { query: '{ me { id } }' } });
    const unread = (): number => api.server.subscribers().unread.websocket.bytes;
    await expect.poll(unread, { timeout: 10_000 }).toBeGreaterThan(100_000);
    const sent = (): number => socket.bufferedAmount;
    let before = -1;
    await expect.poll(() => {
      const isAtRest = sent() === before;
      before = sent();
      return isAtRest;
    }, { timeout: 10_000, interval: 500 }).toBe(true);
    expect([before > 0, unread() < 1_000_000]).toEqual([true, true]);
    socket.terminate();
  });

  test('an id that is echoed with every event has a length', async () => {
    const { socket, send } = await openSocket();
    send({ id: 'x'.repeat(101), type: 'subscribe', payload: { query, variables: { formId } } });
    const [code, reason] = await once(socket, 'close');
    expect([code, String(reason)]).toEqual([4400, expect.stringContaining('100 characters')]);
  });

  test('a message has a length, and what is longer goes over HTTP', async () => {
    const { socket, send } = await openSocket();
    send({ id: '1', type: 'subscribe', payload: { query: `{ __typename } #${'x'.repeat(10_000)}` } });
    const [code] = await once(socket, 'close');
    expect(code).toBe(1009);
  });

  test('queries on one connection leave nothing behind', async () => {
    const warnings: Error[] = [];
    const note = (warning: Error): void => void warnings.push(warning);
    process.on('warning', note);
    const { socket, received, send } = await openSocket();
    for (let id = 0; id < 30; id += 1) {
      send({ id: `${id}`, type: 'subscribe', payload: { query: '{ me { id } }' } });
      await expect.poll(() => received.some((message) => message.id === `${id}` && message.type === 'complete'), { interval: 2 }).toBe(true);
    }
    process.off('warning', note);
    socket.close();
    expect(warnings.map(({ name }) => name)).toEqual([]);
  });

  test('who is refused for a while is told for how long', async () => {
    await using limited = await startDeliveryApi({ limits: { callerSubscriptions: 0 } });
    const { token } = await limited.newOwner();
    const socket = new WebSocket(`${limited.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    const received: unknown[] = [];
    socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${token}` } }));
    socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query, variables: { formId } } }));
    await expect.poll(() => received.at(-1)).toMatchObject({ id: '1', type: 'error', payload: [{ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS', retryAfterMs: 5_000 } }] });
    socket.close();
  });

  test('operations count as requests under way in the process', async () => {
    await using small = await startDeliveryApi({ limits: { requests: 1 } });
    const socket = new WebSocket(`${small.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    const received: { id?: string; type: string; payload?: unknown }[] = [];
    socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
    socket.send(JSON.stringify({ type: 'connection_init' }));
    await expect.poll(() => received).toEqual([{ type: 'connection_ack' }]);
    for (const id of ['1', '2']) socket.send(JSON.stringify({ id, type: 'subscribe', payload: { query: '{ me { id } }' } }));
    await expect.poll(() => received.find(({ type }) => type === 'error')).toMatchObject({ payload: [{ extensions: { code: 'OVERLOADED', retryAfterMs: 1_000 } }] });
    await expect.poll(() => received.filter(({ type }) => type === 'complete')).toHaveLength(1);
    socket.close();
  });

  test('not more is kept of what is asked before it is known who asks than may be under way', async () => {
    const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
    await once(socket, 'open');
    socket.send(JSON.stringify({ type: 'connection_init', payload: { authorization: `Bearer ${owner.token}` } }));
    for (let id = 0; id < 7; id += 1) socket.send(JSON.stringify({ id: `${id}`, type: 'subscribe', payload: { query: '{ me { id } }' } }));
    const [code] = await once(socket, 'close');
    expect(code).toBe(4401);
  });
});
