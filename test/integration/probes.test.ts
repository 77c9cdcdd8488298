import { createServer } from 'node:http';
import { afterEach, describe, expect, test } from 'vitest';
import { createProbeServer } from '../../src/api/probe-server.ts';
import type { ProbeOptions } from '../../src/api/probes.ts';
import { silentLog } from '../../src/log.ts';

const closeLast: (() => Promise<void>)[] = [];
afterEach(() => closeLast.pop()?.());

const ready = { ready: true, reasons: [], roles: { relay: { ready: true, reasons: [] }, dispatcher: { ready: false, reasons: ['NATS cannot be reached.'] } } };
const text = '# HELP formwire_up Up.\nformwire_up 1\n';

async function startProbes(options: Partial<ProbeOptions> & { port?: number } = {}): Promise<(path: string, headers?: Record<string, string>) => Promise<{ status: number; type: string | null; body: string }>> {
  const { port = 0, ...probes } = options;
  const server = createProbeServer({
    readiness: async () => ready,
    metrics: async () => ({ contentType: 'text/plain; version=0.0.4', text }),
    ...probes,
    address: { host: '127.0.0.1', port, portVariable: 'FORMWIRE_PROBE_PORT' },
    log: silentLog,
  });
  closeLast.push(() => server.close());
  const { url } = await server.listen();
  return async (path, headers = {}) => {
    const reply = await fetch(`${url}${path}`, { headers });
    return { status: reply.status, type: reply.headers.get('content-type'), body: await reply.text() };
  };
}

describe('a process without the API', () => {
  test('tells that it lives, whether it is ready, and its metrics', async () => {
    const get = await startProbes();
    expect(await get('/livez')).toMatchObject({ status: 200, body: '{"status":"ok"}' });
    expect(JSON.parse((await get('/readyz')).body)).toEqual(ready);
    expect(await get('/metrics')).toEqual({ status: 200, type: 'text/plain; version=0.0.4', body: text });
    expect((await get('/graphql')).status).toBe(404);
  });

  test('is asked for one role, which may be ready while another is not', async () => {
    const get = await startProbes();
    expect((await get('/readyz?role=relay')).status).toBe(200);
    expect(await get('/readyz?role=dispatcher')).toMatchObject({ status: 503, body: JSON.stringify(ready.roles.dispatcher) });
    expect(await get('/readyz?role=cook')).toMatchObject({ status: 503, body: expect.stringContaining('no role') });
  });

  test('answers 500 where it cannot tell, and goes on', async () => {
    let isBroken = true;
    const readiness = async () => {
      if (isBroken) throw new Error('broken');
      return ready;
    };
    const get = await startProbes({ readiness });
    expect((await get('/readyz')).status).toBe(500);
    isBroken = false;
    expect((await get('/readyz')).status).toBe(200);
  });

  test('says which variable to set where its port is taken', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    closeLast.push(async () => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const { port } = other.address() as { port: number };
    await expect(startProbes({ port })).rejects.toThrow(`Port ${port} is in use, perhaps by another Formwire: stop it, or set FORMWIRE_PROBE_PORT.`);
  });
});

describe('metrics with a token', () => {
  test('are for who sends it, also through a proxy', async () => {
    const get = await startProbes({ metricsTokens: ['a token of some length'] });
    for (const authorization of ['', 'Bearer wrong', 'a token of some length']) expect((await get('/metrics', { authorization })).status).toBe(403);
    const headers = { authorization: 'Bearer a token of some length', 'x-forwarded-for': '203.0.113.7' };
    expect((await get('/metrics', headers)).body).toBe(text);
    expect((await get('/metrics', { authorization: 'bearer a token of some length' })).status).toBe(200); // RFC 9110, 11.1
  });

  test('or with several are for who sends any of them, while one takes the place of another', async () => {
    const get = await startProbes({ metricsTokens: ['the token until now', 'the token from now on'] });
    const statusOf = async (token: string): Promise<number> => (await get('/metrics', { authorization: `Bearer ${token}` })).status;
    expect([await statusOf('the token until now'), await statusOf('the token from now on'), await statusOf('the token until now,the token from now on')]).toEqual([200, 200, 403]);
  });
});
