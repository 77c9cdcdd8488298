import { expect, test } from 'vitest';
import { startInstallation, type FormwireProcess, type Installation } from '../support/installation.ts';

/** A stop that nobody would wait for. */
const start = (dispatchers: number): Promise<Installation> => startInstallation({ apis: 1, dispatchers, natsServers: 1, settings: { FORMWIRE_STOP_DELAY: '10m' } });

const stops = { ready: false, reasons: ['This process stops.'] };
const readinessOf = async ({ url }: FormwireProcess): Promise<unknown> => {
  const answer = await fetch(`${url}/readyz`);
  return { status: answer.status, ...((await answer.json()) as object) };
};

/** Tells a process to end again and again until it has; answers its exit code. */
async function insist(one: FormwireProcess): Promise<number | null> {
  const ended: (number | null)[] = [];
  await expect.poll(() => {
    void one.stop().then((code) => ended.push(code));
    return ended.length;
  }, { timeout: 20_000, interval: 200 }).toBeGreaterThan(0);
  return ended[0] ?? null;
}

test('an API that stops says so first, and goes on; whoever asks again after a second ends it at once', { timeout: 60_000 }, async () => {
  await using installation = await start(0);
  const [api] = installation.apis;
  if (!api) throw new Error('no API');
  void api.stop();
  await expect.poll(() => readinessOf(api)).toMatchObject({ status: 503, ...stops, roles: { api: stops, relay: stops } });
  const answer = await fetch(`${api.url}/graphql`, { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"query":"{ providers { name } }"}' });
  expect([answer.status, answer.headers.get('connection')]).toEqual([200, 'close']);
  expect(await insist(api)).toBe(1);
});

test('a dispatcher waits for no load balancer, and ends in order', { timeout: 60_000 }, async () => {
  await using installation = await start(1);
  const [dispatcher] = installation.dispatchers;
  expect(await dispatcher?.stop()).toBe(0);
  expect(dispatcher?.output()).toContain('"event":"partitions.released"');
});
