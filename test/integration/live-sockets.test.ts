import { createClient, type Client } from 'graphql-ws';
import { WebSocket } from 'ws';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { encodeCursor, positionKey } from '../../src/graphql/cursor.ts';
import { startDeliveryApi, type DeliveryApi, type Owner } from '../support/delivery-api.ts';
import { insertResponse } from '../support/rows.ts';

let api: DeliveryApi;
let owner: Owner;
let formId: Id<'form'>;
beforeAll(async () => {
  api = await startDeliveryApi({ limits: { socketInitMs: 300, socketSubscriptions: 3, addressSubscribers: 4, socketMessageBytes: 10_000 } });
  owner = await api.newOwner();
  formId = (await api.newForm(owner, [{ key: 'q', text: 'Q', kind: 'TEXT' }])).id;
});
afterAll(() => api[Symbol.asyncDispose]());

const url = (): string => `${api.url.replace('http', 'ws')}/graphql`;
const query = 'subscription ($formId: ID!, $after: String) { responseCreated(formId: $formId, after: $after) { cursor response { id } } }';
const client = (token?: string): Client => createClient({ url: url(), webSocketImpl: WebSocket, retryAttempts: 0, ...(token !== undefined && { connectionParams: { authorization: `Bearer ${token}` } }) });
type Told = { data?: { responseCreated: { cursor: string; response: { id: string } } } };

/** A WebSocket that speaks the protocol by hand. */
async function openSocket(protocol = 'graphql-transport-ws') {
  const socket = new WebSocket(url(), protocol);
  const received: unknown[] = [];
  socket.on('message', (data: Buffer) => received.push(JSON.parse(data.toString())));
  const closed = new Promise<{ code: number; reason: string }>((resolve) => socket.once('close', (code, reason) => resolve({ code, reason: reason.toString() })));
  await new Promise((resolve, reject) => socket.once('open', resolve).once('error', reject));
  return {
    received, closed,
    send: (message: unknown) => socket.send(typeof message === 'string' ? message : JSON.stringify(message)),
    close: () => socket.close(),
  };
}

describe('over WebSocket', () => {
  test('subscriptions, queries and mutations share a connection', async () => {
    const one = client(owner.token);
    const first = await insertResponse(api.pool, { formId });
    const told = one.iterate<NonNullable<Told['data']>>({ query, variables: { formId, after: encodeCursor(positionKey(0)) } });
    expect((await told.next()).value).toMatchObject({ data: { responseCreated: { response: { id: first } } } });
    const answers = one.iterate({ query: '{ me { username } }' });
    expect((await answers.next()).value).toMatchObject({ data: { me: { username: 'owner1' } } });
    const submit = one.iterate({ query: 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }', variables: { input: { formId, answers: [{ key: 'q', value: 'a' }] } } });
    const { value } = await submit.next();
    const id = (value as { data: { submitResponse: { response: { id: string } } } }).data.submitResponse.response.id;
    const second = (await told.next()).value as Told;
    expect(second.data?.responseCreated.response.id).toBe(id);
    await told.return?.();
    const after = second.data?.responseCreated.cursor;
    const third = await insertResponse(api.pool, { formId });
    const again = one.iterate({ query, variables: { formId, after } });
    expect((await again.next()).value).toMatchObject({ data: { responseCreated: { response: { id: third } } } });
    await again.return?.();
    await one.dispose();
  });

  test('strangers are told why there is nothing for them, and what is not valid is said as such', async () => {
    const stranger = client();
    await expect(stranger.iterate({ query, variables: { formId } }).next()).rejects.toMatchObject([{ extensions: { code: 'UNAUTHENTICATED' } }]);
    await expect(stranger.iterate({ query: '{ nope }' }).next()).rejects.toMatchObject([{ extensions: { code: 'GRAPHQL_VALIDATION_FAILED' } }]);
    await stranger.dispose();
  });

  test('a token that is refused closes the connection', async () => {
    const socket = await openSocket();
    socket.send({ type: 'connection_init', payload: { authorization: 'Bearer nope' } });
    expect((await socket.closed).code).toBe(4401);
  });

  test.each([
    ['nothing is said', [], 4408],
    ['something is asked for before that', [{ id: '1', type: 'subscribe', payload: { query: '{ me { id } }' } }], 4401],
    ['that is said twice', [{ type: 'connection_init' }, { type: 'connection_init' }], 4429],
    ['what is said is no message', ['{'], 4400],
    ['it is one that servers send', [{ type: 'connection_ack' }], 4400],
    ['an id is used twice at a time', [{ type: 'connection_init' }, ...[1, 2].map(() => ({ id: '1', type: 'subscribe', payload: { query: '{ me { id } }' } }))], 4409],
    ['it is too long', ['x'.repeat(10_001)], 1009],
  ])('a connection is closed where %s', async (_name, messages, code) => {
    const socket = await openSocket();
    for (const message of messages) socket.send(message);
    expect((await socket.closed).code).toBe(code);
  });

  test('another protocol and another path are refused', async () => {
    await expect(openSocket('graphql-ws')).rejects.toThrow('400');
    await expect(new Promise((_, reject) => new WebSocket(url().replace('/graphql', '/other'), 'graphql-transport-ws').once('error', reject))).rejects.toThrow('404');
  });

  test('so many operations may be under way on one connection, and one that ends makes room', async () => {
    const socket = await openSocket();
    socket.send({ type: 'connection_init', payload: { authorization: `Bearer ${owner.token}` } });
    await expect.poll(() => socket.received).toEqual([{ type: 'connection_ack' }]);
    // nobody is told when a subscription has begun: from the same place they are all told the same
    const { rows } = await api.pool.query<{ last: number }>('select coalesce(max(position), 0)::float8 as last from responses');
    const after = encodeCursor(positionKey(rows[0]?.last ?? 0));
    const subscribe = (id: number) => socket.send({ id: `${id}`, type: 'subscribe', payload: { query, variables: { formId, after } } });
    for (let id = 1; id <= 4; id += 1) subscribe(id);
    const error = (id: number) => ({ id: `${id}`, type: 'error', payload: [expect.objectContaining({ extensions: { code: 'TOO_MANY_SUBSCRIPTIONS' } })] });
    await expect.poll(() => socket.received).toEqual([{ type: 'connection_ack' }, error(4)]);
    socket.send({ id: '1', type: 'complete' });
    socket.send({ type: 'ping' });
    subscribe(5);
    const id = await insertResponse(api.pool, { formId });
    const ofKind = (type: string) => socket.received.filter((message) => (message as { type: string }).type === type);
    await expect.poll(() => [...new Set(ofKind('next').map((message) => (message as { id: string }).id))].toSorted()).toEqual(['2', '3', '5']);
    expect(JSON.stringify(ofKind('next'))).toContain(id);
    expect(ofKind('pong')).toHaveLength(1);
    expect(ofKind('error')).toHaveLength(1);
    expect(api.server.subscribers().counts.refused.entries.get('socket')).toBe(1);
    socket.close();
    await socket.closed;
  });

  test('so many connections may come from one address', async () => {
    const open = await Promise.all(Array.from({ length: 4 }, () => openSocket()));
    await expect(openSocket()).rejects.toThrow('429');
    for (const socket of open) socket.close();
    await Promise.all(open.map(({ closed }) => closed));
    await expect.poll(async () => openSocket().then((socket) => socket.close(), String)).toBeUndefined();
  });
});
