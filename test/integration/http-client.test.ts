import { getEventListeners } from 'node:events';
import type { LookupAddress } from 'node:dns';
import { isIP } from 'node:net';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { HttpExchange, HttpPost } from '../../integrations/provider.ts';
import { AddressRefusedError, createCheckedConnector } from '../../src/outbound/checked-connector.ts';
import { createHttpClient, type ClosableHttpClient, type HttpClientOptions } from '../../src/outbound/http-client.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { selfSignedCertificate } from '../support/self-signed-certificate.ts';

const embedded = { allowLoopback: true };
const strict = { allowLoopback: false };
const loopback: LookupAddress = { address: '127.0.0.1', family: 4 };

let receiver: Receiver;
let opened: ClosableHttpClient[];

beforeEach(async () => {
  receiver = await startReceiver();
  opened = [];
});

afterEach(async () => {
  await receiver.close(); // first, so that no client waits for a reply that never comes
  await Promise.all(opened.map((client) => client.close()));
});

function open(options: Partial<HttpClientOptions> = {}): ClosableHttpClient {
  const client = createHttpClient({ policy: embedded, ...options });
  opened.push(client);
  return client;
}

/** A post of a few bytes that the test changes in what it is about. */
function post(changes: Partial<HttpPost> = {}): HttpPost {
  const { signal } = new AbortController();
  return { url: receiver.url, headers: {}, body: Buffer.from('{"a":1}'), timeoutMs: 10_000, signal, ...changes };
}

/** The receiver's address under a name that only a test's resolver knows. */
const urlOf = (name: string): string => receiver.url.replace('127.0.0.1', name);

describe('an exchange', () => {
  test('carries the body and the headers, and answers with what the receiver said', async () => {
    receiver.respond = () => ({ status: 201, headers: { 'x-answer': 'yes' }, body: 'thänks' });
    const reply = await open().post(post({ url: `${receiver.url}?a=b`, headers: { 'x-own': 'mine' } }));
    expect(reply).toMatchObject({ kind: 'response', status: 201, headers: { 'x-answer': 'yes' }, body: 'thänks' });
    expect(receiver.requests[0]).toMatchObject({
      method: 'POST',
      path: '/hooks?a=b',
      body: Buffer.from('{"a":1}'),
      headers: {
        'x-own': 'mine',
        'content-length': '7',
        'accept-encoding': 'identity',
        'user-agent': expect.stringMatching(/^Formwire\/\d+\.\d+\.\d+$/),
      },
    });
  });

  test('uses a connection again', async () => {
    const client = open();
    for (let count = 0; count < 3; count += 1) await client.post(post());
    expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 0, 0]);
  });

  test('leaves no listener and no timer behind', async () => {
    const client = open();
    const { signal } = new AbortController();
    await client.post(post());
    const timers = (): number => process.getActiveResourcesInfo().filter((kind) => kind === 'Timeout').length;
    const before = timers();
    for (let count = 0; count < 5; count += 1) await client.post(post({ signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(0);
    expect(timers()).toBeLessThanOrEqual(before);
  });

  test.each([301, 302, 307, 308])('%i is an answer, and nothing is followed', async (status) => {
    receiver.respond = () => ({ status, headers: { location: receiver.url } });
    expect(await open().post(post())).toMatchObject({ kind: 'response', status });
    expect(receiver.requests).toHaveLength(1);
  });

  test('a line break in a header is a fault of ours, and nothing is sent', async () => {
    const client = open();
    await expect(client.post(post({ headers: { 'x-own': 'a\r\nx-injected: b' } }))).rejects.toThrow('invalid x-own header');
    await expect(client.post(post({ headers: { 'x-own: a\r\nx': 'b' } }))).rejects.toThrow('invalid header key');
    expect(receiver.requests).toHaveLength(0);
  });
});

describe('the time limit', () => {
  test('ends a post that is never answered, and closes its socket', async () => {
    receiver.respond = () => 'hang';
    const reply = await open().post(post({ timeoutMs: 100 }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'TIMEOUT', message: expect.stringContaining('did not answer within 0.1 s') });
    await receiver.waitForConnections(0);
    expect(receiver.requests, 'a timeout is not tried again').toHaveLength(1);
  });

  test('is not extended by a reply that drips', async () => {
    receiver.respond = () => 'drip';
    const reply = await open().post(post({ timeoutMs: 200 }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'TIMEOUT', message: expect.stringContaining('answered 200, but') });
    await receiver.waitForConnections(0);
  });

  test('also ends a post that still waits for a connection, and that is not sent later', async () => {
    const gate = Promise.withResolvers<number>();
    receiver.respond = ({ index }) => (index === 0 ? gate.promise : 200);
    const client = open({ maxConnectionsPerOrigin: 1 });
    const holder = client.post(post());
    await receiver.waitFor(1);
    expect(await client.post(post({ timeoutMs: 50 }))).toMatchObject({ kind: 'failure', error: 'TIMEOUT' });
    gate.resolve(202);
    expect(await holder).toMatchObject({ status: 202 });
    expect(await client.post(post({ headers: { 'webhook-id': 'evt_last' } }))).toMatchObject({ status: 200 });
    expect(receiver.requests.map(({ id }) => id)).toEqual(['', 'evt_last']);
  });

  test('of a receiver that hangs costs no other receiver its connections', async () => {
    await using healthy = await startReceiver();
    receiver.respond = () => 'hang';
    const client = open({ maxConnectionsPerOrigin: 2 });
    const stop = new AbortController();
    const stuck = Array.from({ length: 6 }, () => client.post(post({ signal: stop.signal })));
    await receiver.waitFor(2);
    expect(await client.post(post({ url: healthy.url }))).toMatchObject({ status: 200 });
    expect(receiver.openConnections()).toBe(2);
    stop.abort();
    expect(await Promise.all(stuck)).toEqual(stuck.map(() => expect.objectContaining({ error: 'ABORTED' })));
  });
});

describe("the caller's signal", () => {
  test('ends a post on its way, and closes its socket', async () => {
    receiver.respond = () => 'hang';
    const stop = new AbortController();
    const reply = open().post(post({ signal: stop.signal }));
    await receiver.waitFor(1);
    stop.abort();
    expect(await reply).toMatchObject({ kind: 'failure', error: 'ABORTED' });
    await receiver.waitForConnections(0);
  });

  test('that was aborted before lets nothing be sent', async () => {
    expect(await open().post(post({ signal: AbortSignal.abort() }))).toMatchObject({ kind: 'failure', error: 'ABORTED' });
    expect(receiver.requests).toHaveLength(0);
  });

  test('that aborts by a time limit is a timeout', async () => {
    receiver.respond = () => 'hang';
    expect(await open().post(post({ signal: AbortSignal.timeout(50) }))).toMatchObject({ kind: 'failure', error: 'TIMEOUT' });
  });
});

describe('a reply', () => {
  test('without an end is cut to 4 KiB, and its socket is closed', async () => {
    receiver.respond = () => 'flood';
    expect(await open().post(post())).toMatchObject({ kind: 'response', status: 200, body: 'x'.repeat(4_096) });
    await receiver.waitForConnections(0);
  });

  test('that is a little too long keeps its connection', async () => {
    receiver.respond = () => ({ status: 200, body: 'x'.repeat(20_000) });
    const client = open();
    for (let count = 0; count < 2; count += 1) await client.post(post());
    expect(receiver.requests.map(({ connection }) => connection)).toEqual([0, 0]);
  });

  test('is never decompressed', async () => {
    receiver.respond = () => ({ status: 200, headers: { 'content-encoding': 'gzip' }, body: '\x1f\x8b…' });
    expect(await open().post(post())).toMatchObject({ status: 200, body: '(not shown: sent as gzip)' });
  });

  test('becomes text that PostgreSQL can hold, without half a character at the cut', async () => {
    receiver.respond = () => ({ status: 200, body: `\0\0${'€'.repeat(2_000)}` });
    expect(await open().post(post())).toMatchObject({ body: `\ufffd\ufffd${'€'.repeat(1_364)}` });
  });

  test.each([
    ['is not HTTP', 'NOPE\r\n\r\n'],
    ['has a header without an end', `HTTP/1.1 200 OK\r\nx-long: ${'x'.repeat(100_000)}\r\n\r\n`],
    ['has two lengths', 'HTTP/1.1 200 OK\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\nab'],
    ['switches protocols', 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n'],
  ])('that %s is invalid, and not tried again at once', async (_, raw) => {
    receiver.respond = () => ({ raw });
    expect(await open().post(post())).toMatchObject({ kind: 'failure', error: 'RESPONSE_INVALID' });
    expect(receiver.requests).toHaveLength(1);
  });
});

describe('a lost connection', () => {
  test('in the middle of a reply is not made again, because the receiver has the post', async () => {
    receiver.respond = () => ({ raw: 'HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nabc' });
    expect(await open().post(post())).toMatchObject({ kind: 'failure', error: 'CONNECTION' });
    expect(receiver.requests).toHaveLength(1);
  });

  test('is made again once: a receiver that closed an idle socket in this moment gets the post', async () => {
    receiver.respond = ({ index }) => (index === 1 ? 'reset' : 200);
    const client = open();
    await client.post(post());
    expect(await client.post(post({ headers: { 'webhook-id': 'evt_1' } }))).toMatchObject({ kind: 'response', status: 200 });
    expect(receiver.requests.map(({ connection, id }) => [connection, id])).toEqual([[0, ''], [0, 'evt_1'], [1, 'evt_1']]);
  });

  test('is made again only once', async () => {
    receiver.respond = () => 'reset';
    expect(await open().post(post())).toMatchObject({ kind: 'failure', error: 'CONNECTION' });
    expect(receiver.requests).toHaveLength(2);
  });

  test('of a server that is gone names the host and nothing that may be secret', async () => {
    const url = `${receiver.url}/T0PSECRET?token=T0PSECRET`;
    await receiver.close();
    const reply = await open().post(post({ url, headers: { authorization: 'T0PSECRET' } }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'CONNECTION', message: `${new URL(url).host} refused the connection.` });
  });

  test.each([
    ['EAI_AGAIN', 2, 'looked up'],
    ['ENOTFOUND', 1, 'does not exist'],
  ])('by %s of the name server is looked up %i times', async (code, times, message) => {
    let lookups = 0;
    const resolve = () => {
      lookups += 1;
      return Promise.reject(Object.assign(new Error(code), { code }));
    };
    const reply = await open({ resolve }).post(post({ url: 'http://receiver.test/' }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'CONNECTION', message: expect.stringContaining(message) });
    expect(lookups).toBe(times);
  });

  test('that cannot be made in time is a timeout, and not tried again', async () => {
    let lookups = 0;
    const resolve = () => {
      lookups += 1;
      return new Promise<LookupAddress[]>(() => undefined);
    };
    const reply = await open({ resolve, connectTimeoutMs: 50 }).post(post({ url: 'http://receiver.test/' }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'TIMEOUT', message: 'Could not connect to receiver.test in time.' });
    expect(lookups).toBe(1);
  });

  test('posts for one name wait for one lookup', async () => {
    let lookups = 0;
    const resolve = () => {
      lookups += 1;
      return Promise.resolve([loopback]);
    };
    const client = open({ resolve });
    await Promise.all(Array.from({ length: 5 }, () => client.post(post({ url: urlOf('receiver.test') }))));
    expect(receiver.requests).toHaveLength(5);
    expect(lookups).toBe(1);
  });
});

describe('an exchange that must happen once', () => {
  const once = (changes: Partial<HttpExchange> = {}): HttpExchange => ({ ...post(), method: 'POST', ...changes });

  test('is not made again after a lost connection, and says that it may have arrived', async () => {
    receiver.respond = () => 'reset';
    expect(await open().exchange(once())).toMatchObject({ kind: 'failure', error: 'CONNECTION', isSent: true });
    expect(receiver.requests).toHaveLength(1);
  });

  test('says after a time limit that it may have arrived', async () => {
    receiver.respond = () => 'hang';
    expect(await open().exchange(once({ timeoutMs: 100 }))).toMatchObject({ error: 'TIMEOUT', isSent: true });
  });

  test('says that nothing was sent where there was no connection', async () => {
    const stuck = open({ resolve: () => new Promise<LookupAddress[]>(() => undefined), connectTimeoutMs: 50 });
    expect(await stuck.exchange(once({ url: 'http://receiver.test/' }))).toMatchObject({ error: 'TIMEOUT', isSent: false });
    expect(await open({ policy: strict }).exchange(once())).toMatchObject({ error: 'ADDRESS_REFUSED', isSent: false });
    expect(await open().exchange(once({ signal: AbortSignal.abort() }))).toMatchObject({ error: 'ABORTED', isSent: false });
    await receiver.close();
    expect(await open().exchange(once())).toMatchObject({ error: 'CONNECTION', isSent: false });
  });

  test('that waits for a connection when its time is over was not sent', async () => {
    receiver.respond = () => 'hang';
    const client = open({ maxConnectionsPerOrigin: 1 });
    const stop = new AbortController();
    const holder = client.exchange(once({ signal: stop.signal }));
    await receiver.waitFor(1);
    expect(await client.exchange(once({ timeoutMs: 50 }))).toMatchObject({ error: 'TIMEOUT', isSent: false });
    stop.abort();
    expect(await holder).toMatchObject({ error: 'ABORTED', isSent: true });
  });

  test('reads without a body, and keeps as much of the reply as it is told to', async () => {
    receiver.respond = () => ({ status: 200, body: 'x'.repeat(200_000) });
    const reply = await open().exchange(once({ method: 'GET', body: new Uint8Array(), maxReplyBytes: 150_000 }));
    expect(reply).toMatchObject({ kind: 'response', body: 'x'.repeat(150_000) });
    expect(receiver.requests[0]).toMatchObject({ method: 'GET', body: Buffer.alloc(0) });
    expect(receiver.requests[0]?.headers).not.toHaveProperty('content-length');
  });
});

describe('the network policy', () => {
  test('refuses a literal address without a connection', async () => {
    expect(await open({ policy: strict }).post(post())).toMatchObject({
      kind: 'failure',
      error: 'ADDRESS_REFUSED',
      message: "The URL's host is a loopback address, which integrations may not reach.",
    });
    expect(receiver.openConnections()).toBe(0);
  });

  test.each([
    ['is private', [loopback]],
    ['has one private address among public ones', [{ address: '8.8.8.8', family: 4 }, loopback]],
    ['is IPv4 inside IPv6', [{ address: '::ffff:127.0.0.1', family: 6 }]],
  ])('refuses a name that %s, and does not tell the address', async (_, addresses) => {
    const resolve = () => Promise.resolve(addresses);
    const reply = await open({ policy: strict, resolve }).post(post({ url: urlOf('receiver.test') }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'ADDRESS_REFUSED' });
    expect(reply).toHaveProperty('message', expect.stringMatching(/^receiver\.test:\d+ resolves to an? [a-zA-Z0-9 ]+, which/));
    expect(receiver.requests).toHaveLength(0);
  });

  test('tells what a setting refuses from what nobody may reach', async () => {
    const isOurs = async (url: string, ...addresses: string[]): Promise<boolean> => {
      const resolve = () => Promise.resolve(addresses.map((address) => ({ address, family: isIP(address) })));
      const reply = await open({ policy: strict, resolve }).post(post({ url }));
      expect(reply).toHaveProperty('error', 'ADDRESS_REFUSED');
      return reply.kind === 'failure' && reply.isOurSetting === true;
    };
    expect([await isOurs('http://127.0.0.1:1/'), await isOurs('http://localhost/'), await isOurs('http://10.0.0.1/'), await isOurs('http://[::ffff:7f00:1]/')]).toEqual([true, true, false, false]);
    expect([await isOurs('http://receiver.test/', '127.0.0.1', '::1'), await isOurs('http://receiver.test/', '127.0.0.1', '10.0.0.1')]).toEqual([true, false]);
  });

  test('refuses a name that resolved to a good address before', async () => {
    const answers = [[loopback], [{ address: '10.0.0.1', family: 4 }]];
    const client = open({ resolve: () => Promise.resolve(answers.shift() ?? []) });
    receiver.respond = () => ({ status: 200, headers: { connection: 'close' } });
    expect(await client.post(post({ url: urlOf('receiver.test') }))).toMatchObject({ status: 200 });
    expect(await client.post(post({ url: urlOf('receiver.test') }))).toMatchObject({ error: 'ADDRESS_REFUSED' });
  });

  test('reaches a name of the system where it is allowed', async () => {
    // The receiver listens on IPv4 alone, and localhost may name IPv6 first: both are tried.
    expect(await open().post(post({ url: urlOf('localhost') }))).toMatchObject({ status: 200 });
    expect(await open({ policy: strict }).post(post({ url: urlOf('localhost') }))).toMatchObject({ error: 'ADDRESS_REFUSED' });
  });

  test('also holds where a socket is opened, if a URL got there unchecked', async () => {
    const connect = createCheckedConnector({ policy: strict, connectTimeoutMs: 1_000 });
    const error = await new Promise((resolve) => {
      connect({ hostname: '169.254.169.254', protocol: 'http:', port: '80' }, (...[failed]) => resolve(failed));
    });
    expect(error).toBeInstanceOf(AddressRefusedError);
  });
});

describe('TLS', () => {
  const certificate = selfSignedCertificate('receiver.test');
  const resolve = () => Promise.resolve([loopback]);
  let secured: Receiver;
  const securedUrl = (name: string): string => secured.url.replace('127.0.0.1', name);

  beforeEach(async () => {
    secured = await startReceiver({ tls: certificate });
  });
  afterEach(() => secured.close());

  test('refuses a certificate that no one vouches for, and sends nothing', async () => {
    const reply = await open({ resolve }).post(post({ url: securedUrl('receiver.test') }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'TLS', message: expect.stringContaining('DEPTH_ZERO_SELF_SIGNED_CERT') });
    expect(secured.requests).toHaveLength(0);
  });

  test('takes one of an authority that is trusted', async () => {
    const client = open({ resolve, certificateAuthorities: [certificate.cert] });
    expect(await client.post(post({ url: securedUrl('receiver.test') }))).toMatchObject({ kind: 'response', status: 200 });
  });

  test('refuses a certificate for another name', async () => {
    const client = open({ resolve, certificateAuthorities: [certificate.cert] });
    const reply = await client.post(post({ url: securedUrl('other.test') }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'TLS', message: expect.stringContaining('ALTNAME_INVALID') });
  });

  test('that meets a server without it is a TLS failure', async () => {
    const reply = await open().post(post({ url: receiver.url.replace('http:', 'https:') }));
    expect(reply).toMatchObject({ kind: 'failure', error: 'TLS' });
  });
});

describe('origins', () => {
  test('more than the bound keep no idle sockets', async () => {
    const others = await Promise.all(Array.from({ length: 4 }, () => startReceiver()));
    await using stack = new AsyncDisposableStack();
    for (const other of others) stack.use(other);
    const client = open({ maxIdleOrigins: 2 });
    for (const other of others) await client.post(post({ url: other.url }));
    expect(client.originCount()).toBe(2);
    await Promise.all(others.slice(0, 2).map((other) => other.waitForConnections(0)));
    expect(others.slice(2).map((other) => other.openConnections())).toEqual([1, 1]);
  });

  test('are forgotten with their last socket, and met again', async () => {
    const client = open();
    await client.post(post());
    expect(client.originCount()).toBe(1);
    const { port } = new URL(receiver.url);
    await receiver.close();
    await expect.poll(() => client.originCount()).toBe(0);
    receiver = await startReceiver({ port: Number(port) });
    expect(await client.post(post())).toMatchObject({ status: 200 });
  });

  test('that refuse every connection are forgotten too', async () => {
    const client = open();
    await receiver.close();
    await client.post(post());
    await expect.poll(() => client.originCount()).toBe(0);
  });
});

test('closing waits for what is in flight and refuses what comes after', async () => {
  const gate = Promise.withResolvers<number>();
  receiver.respond = () => gate.promise;
  const client = open();
  const reply = client.post(post());
  await receiver.waitFor(1);
  const closed = client.close();
  expect(await client.post(post())).toMatchObject({ kind: 'failure', error: 'ABORTED' });
  gate.resolve(202);
  expect(await reply).toMatchObject({ kind: 'response', status: 202 });
  await closed;
  expect(receiver.requests).toHaveLength(1);
});
