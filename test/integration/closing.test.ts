import { once } from 'node:events';
import { Agent, request, type IncomingMessage } from 'node:http';
import { connect, type Socket } from 'node:net';
import { WebSocket } from 'ws';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { FormsService } from '../../src/forms/forms.service.ts';
import { createLog } from '../../src/log.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

const formQuery = '{ form(id: "form_00000000000000000000000000") { id } }';
const body = JSON.stringify({ query: formQuery });
const head = `POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: ${body.length}\r\n\r\n`;

let stack: AsyncDisposableStack;
beforeEach(() => void (stack = new AsyncDisposableStack()));
afterEach(() => stack.disposeAsync());

/** An API that answers `formQuery` when it is let to; what it logs is kept. */
async function startApi({ closeMs = 600_000 } = {}) {
  const answered = Promise.withResolvers<never>();
  let count = 0;
  answered.promise.catch(() => undefined);
  const lines: string[] = [];
  const readMany = () => {
    count += 1;
    return answered.promise;
  };
  const log = createLog('warn', { write: (line) => void lines.push(line) });
  const api = stack.use(await startTestApi({ closeMs, log, extend: () => ({ forms: { readMany } as unknown as FormsService }) }));
  const logged = (name: string) => lines.map((line) => JSON.parse(line) as Record<string, unknown>).filter(({ event }) => event === name);
  return { api, isAsked: (times = 1) => expect.poll(() => count).toBe(times), letAnswer: () => answered.reject(new Error('late')), logged };
}

/** A client with one connection, which it keeps. */
function keptClient(api: TestApi) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  stack.defer(() => agent.destroy());
  const ask = async (query = '{ me { id } }'): Promise<IncomingMessage> => {
    const sent = request(`${api.url}/graphql`, { method: 'POST', agent, headers: { 'content-type': 'application/json' } }).end(JSON.stringify({ query }));
    const [answer] = (await once(sent, 'response')) as [IncomingMessage];
    answer.resume();
    await once(answer, 'end');
    return answer;
  };
  return { ask };
}

async function openRaw(api: TestApi, text = ''): Promise<{ socket: Socket; received: () => string; closed: Promise<unknown> }> {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  stack.defer(() => void socket.destroy());
  let received = '';
  socket.on('data', (chunk: Buffer) => (received += chunk.toString())).on('error', () => undefined);
  await once(socket, 'connect');
  if (text !== '') socket.write(text);
  return { socket, received: () => received, closed: once(socket, 'close') };
}

/** A WebSocket that has said who it is; or one that never answers that it is closed. */
async function openSocket(api: TestApi, { isMute = false } = {}) {
  const socket = new WebSocket(`${api.url.replace('http', 'ws')}/graphql`, 'graphql-transport-ws');
  stack.defer(() => socket.terminate());
  const received: { type: string }[] = [];
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString()) as { type: string }));
  const closed = once(socket, 'close').then(([code]: number[]) => code);
  await once(socket, 'open');
  socket.send('{"type":"connection_init"}');
  await expect.poll(() => received.length).toBe(1);
  if (isMute) socket.pause();
  return { received, closed, subscribe: (query: string) => socket.send(JSON.stringify({ id: '1', type: 'subscribe', payload: { query } })) };
}

test('a request that comes over a kept connection when closing has begun is answered, and ends its connection', async () => {
  const { api } = await startApi();
  const client = keptClient(api);
  expect((await client.ask()).headers.connection).toBe('keep-alive');
  const closed = api.server.close();
  const answer = await client.ask();
  expect([answer.statusCode, answer.headers.connection]).toEqual([200, 'close']);
  await closed;
  await expect(client.ask()).rejects.toThrow('ECONNREFUSED');
});

test('an answer that was being made when the process began to leave ends its connection too, and the next one is taken', async () => {
  const { api, isAsked, letAnswer } = await startApi();
  const client = keptClient(api);
  const late = client.ask(formQuery);
  await isAsked();
  api.server.leave();
  letAnswer();
  expect((await late).headers.connection).toBe('close');
  expect((await client.ask()).statusCode).toBe(200);
});

test('connections that have never asked anything, or ask nothing more, hold nothing up', async () => {
  const { api } = await startApi();
  await keptClient(api).ask();
  const { closed } = await openRaw(api);
  await api.server.close();
  await closed;
});

test('a body that is on its way gets its time', async () => {
  const { api, isAsked, letAnswer } = await startApi();
  const { socket, received, closed } = await openRaw(api, head.replace('\r\n\r\n', '\r\nexpect: 100-continue\r\n\r\n'));
  await expect.poll(received).toContain('100 Continue');
  socket.write(body.slice(0, 10));
  const done = api.server.close();
  socket.write(body.slice(10));
  await isAsked();
  letAnswer();
  await Promise.all([done, closed]);
  expect(received()).toMatch(/HTTP\/1\.1 200 OK\r\n.*connection: close/is);
});

test('what has not ended at the bound is cut, and the log says how many were at what', async () => {
  const { api, isAsked, logged } = await startApi({ closeMs: 50 });
  const arriving = await openRaw(api, head + body.slice(0, 10));
  const running = await openRaw(api, head + body);
  const socket = await openSocket(api);
  socket.subscribe(formQuery);
  await isAsked(2);
  await api.server.close();
  await Promise.all([arriving.closed, running.closed]);
  expect(await socket.closed).toBe(1006);
  expect(logged('api.connections_cut')).toMatchObject([{ arriving: 1, running: 1, answering: 0, webSockets: 1 }]);
});

test('what was asked over a WebSocket is answered before it is closed with the hint to come back', async () => {
  const { api, isAsked, letAnswer } = await startApi();
  const { received, closed, subscribe } = await openSocket(api);
  const idle = await openSocket(api);
  subscribe(formQuery);
  await isAsked();
  const done = api.server.close();
  expect(await idle.closed).toBe(1012);
  letAnswer();
  expect(await closed).toBe(1012);
  expect(received.map(({ type }) => type)).toEqual(['connection_ack', 'next', 'complete']);
  await done;
});

test('a WebSocket that does not answer that it is closed holds nothing up for long', async () => {
  const { api, logged } = await startApi();
  await openSocket(api, { isMute: true });
  await api.server.close();
  expect(logged('api.connections_cut')).toEqual([]);
});

test('no WebSocket is begun while the server closes', async () => {
  const { api, isAsked, letAnswer } = await startApi();
  const busy = keptClient(api).ask(formQuery);
  const { socket, received, closed } = await openRaw(api);
  await isAsked();
  const done = api.server.close();
  socket.write('GET /graphql HTTP/1.1\r\nhost: x\r\nconnection: upgrade\r\nupgrade: websocket\r\nsec-websocket-version: 13\r\nsec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\nsec-websocket-protocol: graphql-transport-ws\r\n\r\n');
  await closed;
  expect(received()).toMatch(/^HTTP\/1\.1 503 /);
  letAnswer();
  await Promise.all([busy, done]);
});
