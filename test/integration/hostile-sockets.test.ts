import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';

let api: DeliveryApi;
beforeAll(async () => {
  api = await startDeliveryApi();
});
afterAll(() => api[Symbol.asyncDispose]());

const address = (): { port: number; host: string } => ({ port: Number(new URL(api.url).port), host: '127.0.0.1' });
const isAlive = async (): Promise<boolean> => (await fetch(`${api.url}/livez`)).ok;

/** A client that asks for an upgrade and never ends its side of the connection. */
async function upgrade(target: string, headers = 'sec-websocket-protocol: graphql-transport-ws\r\n'): Promise<{ socket: Socket; received: () => string }> {
  const socket = connect({ ...address(), allowHalfOpen: true });
  await once(socket, 'connect');
  let text = '';
  socket.on('data', (chunk) => (text += chunk)).on('error', () => undefined);
  socket.write(`GET ${target} HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`);
  return { socket, received: () => text };
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
