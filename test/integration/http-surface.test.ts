import { connect, type Socket } from 'node:net';
import { once } from 'node:events';
import { request } from 'undici';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { FormsService } from '../../src/forms/forms.service.ts';
import { UnavailableError } from '../../src/user-error.ts';
import { startTestApi, type TestApi } from '../support/api.ts';

let api: TestApi;
/** What looking for a form does; each test says it. */
let readForms: () => Promise<never> = async () => { throw new Error('not said'); };
let readiness = { ready: true, reasons: [] as string[] };
beforeAll(async () => {
  api = await startTestApi({
    limits: { bodyBytes: 40_000, requests: 8 },
    readiness: async () => readiness,
    extend: () => ({ forms: { readMany: () => readForms() } as unknown as FormsService }),
  });
});
afterAll(() => api[Symbol.asyncDispose]());

const formQuery = '{ form(id: "form_01h455vb4pex5vsknk084sn02q") { id } }';
const get = async (path: string, headers: Record<string, string> = {}) => {
  const reply = await request(`${api.url}${path}`, { headers });
  return { status: reply.statusCode, headers: reply.headers, text: await reply.body.text() };
};
/** A connection of one's own, to send what no client library sends. */
const raw = async (text: string): Promise<{ socket: Socket; reply: Promise<string> }> => {
  const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
  await once(socket, 'connect');
  socket.write(text);
  const reply = (async () => {
    let received = '';
    for await (const chunk of socket) received += chunk;
    return received;
  })().catch(() => 'reset');
  return { socket, reply };
};

test('only JSON bodies are taken, whatever the case or charset parameter', async () => {
  for (const type of ['application/json', 'Application/JSON; charset=utf-8', 'application/json;charset="UTF-8"']) {
    expect((await api.post({ query: '{ me { id } }' }, { headers: { 'content-type': type } })).status).toBe(200);
  }
  for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x', 'application/graphql', 'application/json; charset=latin1', '']) {
    expect((await api.post({ query: '{ me { id } }' }, { headers: { 'content-type': type } })).status).toBe(415);
  }
});

test('a body that is compressed, no JSON, no UTF-8, a batch or without a query is refused as such', async () => {
  expect((await api.post('{}', { headers: { 'content-encoding': 'gzip' } })).status).toBe(415);
  expect(await api.post('[{"query":"{me{id}}"}]')).toMatchObject({ status: 400, body: { errors: [{ extensions: { code: 'BATCHING_UNSUPPORTED' } }] } });
  for (const body of ['{', '"text"', '{}', '{"query":1}', '{"query":"{me{id}}","variables":[]}']) {
    expect(await api.post(body)).toMatchObject({ status: 400, body: { errors: [{ extensions: { code: 'BAD_REQUEST' } }] } });
  }
  const broken = await request(`${api.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: Buffer.from('{"query":"{me{id}}","operationName":"\xff"}', 'latin1') });
  expect([broken.statusCode, await broken.body.text()]).toMatchObject([400, expect.stringContaining('UTF-8')]);
});

test('a body over the limit is refused by its announced length, before it is sent', async () => {
  const { reply } = await raw('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 40001\r\n\r\n');
  expect(await reply).toMatch(/^HTTP\/1.1 413 /);
});

test('a body over the limit is refused while it streams in, without an announced length', async () => {
  const { socket, reply } = await raw('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n');
  for (let sent = 0; sent < 60 && socket.writable; sent += 1) socket.write(`3e8\r\n${'a'.repeat(1_000)}\r\n`);
  expect(await reply).toMatch(/^HTTP\/1.1 413 /);
});

test('who sends all of a body before it looks for an answer reads why it was refused', async () => {
  const bytes = 8_000_000;
  for (const [status, type] of [[413, 'application/json'], [415, 'text/plain']] as const) {
    const socket = connect(Number(new URL(api.url).port), '127.0.0.1');
    const sent = once(socket, 'drain');
    socket.write(`POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: ${type}\r\ncontent-length: ${bytes}\r\n\r\n${'x'.repeat(bytes)}`);
    await sent;
    const [answer] = (await once(socket, 'data')) as [Buffer];
    expect(answer.toString()).toMatch(new RegExp(`^HTTP/1.1 ${status} [^]*The body must`));
    socket.destroy();
  }
});

test('a body at the limit is taken', async () => {
  const body = JSON.stringify({ query: '{ me { id } }', extensions: { pad: '' } });
  const padded = body.replace('"pad":""', `"pad":"${'x'.repeat(40_000 - body.length)}"`);
  expect(padded).toHaveLength(40_000);
  expect((await api.post(padded)).status).toBe(200);
});

test('the type of the answer is the first that the client lists', async () => {
  for (const [accept, type] of [
    ['*/*', 'application/json'],
    ['application/graphql-response+json, application/json', 'application/graphql-response+json'],
    ['application/json, application/graphql-response+json', 'application/json'],
    ['text/html, application/*;q=0.5', 'application/json'],
  ] as const) {
    const { headers, status } = await api.post({ query: '{ me { id } }' }, { headers: { accept } });
    expect([status, headers['content-type']]).toEqual([200, `${type}; charset=utf-8`]);
  }
  for (const accept of ['text/html', 'application/json; charset=latin1']) {
    expect((await api.post({ query: '{ me { id } }' }, { headers: { accept } })).status).toBe(406);
  }
});

test('a query that is not valid, or whose variables do not fit, is 200 under application/json and 400 under the newer type', async () => {
  for (const [body, code] of [
    [{ query: '{' }, 'GRAPHQL_PARSE_FAILED'],
    [{ query: '{ nothing }' }, 'GRAPHQL_VALIDATION_FAILED'],
    [{ query: 'query ($id: ID!) { node(id: $id) { id } }' }, 'BAD_USER_INPUT'],
  ] as const) {
    const classic = await api.post(body, { headers: { accept: 'application/json' } });
    const modern = await api.post(body, { headers: { accept: 'application/graphql-response+json' } });
    expect([classic.status, modern.status]).toEqual([200, 400]);
    expect(modern.body).toEqual(classic.body);
    expect(modern.body).toMatchObject({ errors: [{ extensions: { code } }] });
    expect(modern.body).not.toHaveProperty('data');
  }
});

test('operations come as POST, and by no other method', async () => {
  for (const method of ['GET', 'PUT', 'DELETE'] as const) {
    const refused = await request(`${api.url}/graphql?query=${encodeURIComponent('{ me { id } }')}`, { method });
    expect([refused.statusCode, refused.headers['allow'], await refused.body.json()]).toMatchObject([405, 'POST', { errors: [{ extensions: { code: 'METHOD_NOT_ALLOWED' } }] }]);
  }
});

test('an operation is chosen by its name', async () => {
  const query = 'query A { a: __typename } query B { b: __typename }';
  expect((await api.post({ query, operationName: 'B' })).body).toMatchObject({ data: { b: 'Query' } });
  for (const operationName of [undefined, 'C']) {
    expect(await api.post({ query, operationName })).toMatchObject({ status: 400, body: { errors: [{ extensions: { code: 'OPERATION_RESOLUTION_FAILURE' } }] } });
  }
});

test('a client that asks for a stream gets the same answer as events, by the same rules', async () => {
  const stream = (query: string, path = '/graphql') =>
    request(`${api.url}${path}`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream' }, body: JSON.stringify({ query }) });
  const good = await stream('{ me { id } }');
  expect(good.headers['content-type']).toBe('text/event-stream');
  expect(await good.body.text()).toContain('event: next\ndata: {"data":{"me":null},"extensions":{"cost":{"requested":2,"limit":250000}}}\n\nevent: complete');
  expect(await (await stream('{ nothing }')).body.text()).toContain('GRAPHQL_VALIDATION_FAILED');
  expect(await (await stream('query ($id: ID!) { node(id: $id) { id } }')).body.text()).toContain('"code":"BAD_USER_INPUT"');
  const deep = `{ __typename ${Array.from({ length: 101 }, (_, index) => `a${index}: __typename`).join(' ')} }`;
  expect(await (await stream(deep)).body.text()).toContain('TOO_MANY_ROOT_FIELDS');
  readForms = async () => { throw new Error('the secret'); };
  const masked = await (await stream(formQuery)).body.text();
  expect(masked).toContain('"INTERNAL"');
  expect(masked).not.toContain('secret');
  const mutation = await get(`/graphql?query=${encodeURIComponent('mutation { login(input: { password: "x" }) { token } }')}`, { accept: 'text/event-stream' });
  expect(mutation.text).not.toContain('"data"');
});

test('what goes wrong on our side is told as INTERNAL, without its message', async () => {
  readForms = async () => { throw new Error('select secret from everything'); };
  const { status, body } = await api.post({ query: formQuery });
  expect(status).toBe(200);
  expect(body).toMatchObject({ data: { form: null }, errors: [{ path: ['form'], extensions: { code: 'INTERNAL' } }] });
  expect(JSON.stringify(body)).not.toContain('secret');
});

test('a refusal under load is 503 and says when to try again', async () => {
  readForms = async () => { throw new UnavailableError('OVERLOADED', 'Too much; try again.', 2_500); };
  const { status, headers, body } = await api.post({ query: formQuery });
  expect([status, headers['retry-after']]).toEqual([503, '3']);
  expect(body.errors).toMatchObject([{ message: 'Too much; try again.', extensions: { code: 'OVERLOADED', retryAfterMs: 2_500 } }]);
});

test('a database that is away is told as such', async () => {
  readForms = async () => { throw Object.assign(new Error('connect ECONNREFUSED 127.0.0.1:5432'), { code: 'ECONNREFUSED' }); };
  const { status, body } = await api.post({ query: formQuery });
  expect([status, body.errors[0].extensions.code]).toEqual([503, 'DATABASE_UNAVAILABLE']);
  expect(JSON.stringify(body)).not.toContain('127.0.0.1');
});

test('more requests at a time than the limit are refused, and taken again once there is room', async () => {
  const gate = Promise.withResolvers<never>();
  readForms = () => gate.promise;
  const waiting = Array.from({ length: 8 }, () => api.post({ query: formQuery }));
  let refused = await api.post({ query: '{ me { id } }' });
  while (refused.status === 200) refused = await api.post({ query: '{ me { id } }' }); // until all eight have arrived
  expect(refused).toMatchObject({ status: 503, body: { errors: [{ extensions: { code: 'OVERLOADED' } }] } });
  gate.reject(new Error('enough'));
  expect((await Promise.all(waiting)).map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
  expect((await api.post({ query: '{ me { id } }' })).status).toBe(200);
});

test('the schema is for those who are logged in, and so are names similar to a wrong one, also in variables', async () => {
  const { token } = await api.register('curious');
  const schema = { query: '{ __schema { queryType { name } } }' };
  expect((await api.post(schema)).body).toMatchObject({ errors: [{ extensions: { code: 'INTROSPECTION_DISABLED' } }] });
  expect((await api.post(schema, { token })).body).toMatchObject({ data: { __schema: { queryType: { name: 'Query' } } } });
  const misspelt = { query: 'mutation ($input: LoginInput!) { login(input: $input) { token } }', variables: { input: { pasword: 'x' } } };
  const [strange, known] = [await api.post(misspelt), await api.post(misspelt, { token })].map(({ body }) => JSON.stringify(body));
  expect(strange).toContain('pasword');
  expect(strange).not.toContain('Did you mean');
  expect(known).toContain('Did you mean');
});

test('over SSE all is told that is wrong with a query, and others who send the same are told the same afterwards', async () => {
  const query = '{ nope nor { this } }';
  const before = (await api.post({ query })).body;
  const reply = await request(`${api.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json', accept: 'text/event-stream' }, body: JSON.stringify({ query }) });
  const [, told = ''] = /^data: (.+)$/m.exec(await reply.body.text()) ?? [];
  expect(before.errors).toHaveLength(2);
  expect(JSON.parse(told)).toEqual(before);
  expect((await api.post({ query })).body).toEqual(before);
});

test('any page may ask', async () => {
  const preflight = await request(`${api.url}/graphql`, { method: 'OPTIONS', headers: { origin: 'https://a.example', 'access-control-request-method': 'POST' } });
  expect([preflight.statusCode, preflight.headers['access-control-allow-origin'], preflight.headers['access-control-allow-headers']]).toEqual([204, '*', 'authorization, content-type, last-event-id, traceparent, tracestate']);
  expect((await api.post({ query: '{ me { id } }' })).headers['access-control-allow-origin']).toBe('*');
});

test('health and readiness are told, other paths are 404', async () => {
  expect(await get('/livez')).toMatchObject({ status: 200 });
  expect(await get('/readyz')).toMatchObject({ status: 200, text: '{"ready":true,"reasons":[]}' });
  readiness = { ready: false, reasons: ['the database does not answer'] };
  expect(await get('/readyz')).toMatchObject({ status: 503, text: '{"ready":false,"reasons":["the database does not answer"]}' });
  expect(await get('/elsewhere')).toMatchObject({ status: 404 });
});

test('a client that goes away in the middle of its body leaves nothing behind', async () => {
  const { socket } = await raw('POST /graphql HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{"query"');
  socket.destroy();
  await once(socket, 'close');
  for (let count = 0; count < 20; count += 1) expect((await api.post({ query: '{ me { id } }' })).status).toBe(200);
});

test('closing lets requests under way finish, and takes no new ones', async () => {
  await using other = await startTestApi({ closeMs: 600_000, extend: () => ({ forms: { readMany: () => readForms() } as unknown as FormsService }) });
  const gate = Promise.withResolvers<never>();
  const arrived = Promise.withResolvers<void>();
  readForms = () => { arrived.resolve(); return gate.promise; };
  const answer = other.post({ query: formQuery });
  await arrived.promise;
  const closed = other.server.close();
  await expect(other.post({ query: '{ me { id } }' })).rejects.toThrow();
  gate.reject(new Error('late'));
  expect((await answer).status).toBe(200);
  await closed;
});

test('closing does not wait for ever', async () => {
  await using other = await startTestApi({ closeMs: 50, extend: () => ({ forms: { readMany: () => readForms() } as unknown as FormsService }) });
  const arrived = Promise.withResolvers<void>();
  readForms = () => { arrived.resolve(); return new Promise<never>(() => {}); };
  const answer = other.post({ query: formQuery }).catch(() => 'cut off');
  await arrived.promise;
  await other.server.close();
  expect(await answer).toBe('cut off');
});
