import { expect, test } from 'vitest';
import { networkPolicy } from '../../../src/outbound/address-policy.ts';
import { createHttpClient } from '../../../src/outbound/http-client.ts';
import { sampleEvent, sampleForm } from '../sample.ts';
import type { Manner, Subject } from '../service.ts';
import { setUp } from './set-up.ts';

/** Far above what stopping takes here, and below what a provider allows a call by itself. */
const stopsSoon = { timeout: 9_000 };

const statusOf = (pattern: RegExp): unknown => expect.stringMatching(pattern);

/** What a delivery comes to, by how the service treats it. */
export function describeDelivering<Settings>(subject: Subject<Settings>): void {
  const { provider } = subject;
  const hasAddressOfItsOwner = provider.refuse !== undefined;

  test('it answers one outcome for each delivery of a full batch, and the service has each of them', async () => {
    const { service, deliver } = await setUp(subject);
    const batch = Array.from({ length: provider.limits.batchSize }, () => ({ event: sampleEvent(), attempt: 1 }));
    const outcomes = await deliver(batch);
    expect(outcomes.map(({ status }) => status)).toEqual(batch.map(() => 'delivered'));
    expect(batch.map(({ event }) => service.effectsOf(event))).toEqual(batch.map(() => 1));
  });

  test('it answers nothing for no delivery', async () => {
    const { deliver } = await setUp(subject);
    expect(await deliver([])).toEqual([]);
  });

  test('it leaves the events as they are', async () => {
    const { deliverOne } = await setUp(subject);
    const event = Object.freeze(sampleEvent());
    const body = Buffer.from(event.body);
    await deliverOne({ event });
    expect(body.equals(event.body)).toBe(true);
  });

  test('it reports a refusal for good as one that no further attempt mends', async () => {
    const { service, deliverOne } = await setUp(subject);
    service.behave({ kind: 'refuses' });
    expect(await deliverOne()).toHaveProperty('status', statusOf(/^(broken|rejected|blocked)$/));
  });

  test('it tells one refused delivery from the others in its batch, in their order', async ({ skip }) => {
    const { service, deliver } = await setUp(subject);
    if (!service.refuse) return skip('the service cannot tell');
    const batch = Array.from({ length: Math.min(5, provider.limits.batchSize) }, () => ({ event: sampleEvent(), attempt: 1 }));
    const refused = batch.findLastIndex((_, index) => index <= 1);
    service.refuse(batch[refused]!.event);
    const outcomes = await deliver(batch);
    expect(outcomes.map(({ status }) => status)).toEqual(batch.map((_, index) => (index === refused ? 'rejected' : 'delivered')));
    return expect(batch.map(({ event }) => service.effectsOf(event))).toEqual(batch.map((_, index) => (index === refused ? 0 : 1)));
  });

  test('it waits at least as long as a throttling service asks for', async () => {
    const { service, deliverOne } = await setUp(subject);
    service.behave({ kind: 'throttles', seconds: 7 });
    const outcome = await deliverOne();
    expect(outcome).toMatchObject({ status: statusOf(/^(retry|throttled|deferred)$/), afterMs: expect.any(Number) });
    if ('afterMs' in outcome) expect(outcome.afterMs).toSatisfy((ms: number) => ms >= 7_000 && ms <= 3_600_000);
  });

  test('it tries again later where a throttling service asks for no wait', async () => {
    const { service, deliverOne } = await setUp(subject);
    service.behave({ kind: 'throttles' });
    const outcome = await deliverOne();
    expect(outcome).toHaveProperty('status', statusOf(/^(retry|throttled)$/));
    if ('afterMs' in outcome) expect(outcome.afterMs).toSatisfy((ms: number) => ms >= 1_000 && ms <= 3_600_000);
  });

  const passing: [what: string, manner: Manner, error: string][] = [
    ['fails', { kind: 'fails', applied: false }, 'HTTP_STATUS'],
    ['resets the connection', { kind: 'drops', applied: false }, 'CONNECTION'],
    ['answers what makes no sense', { kind: 'babbles', applied: false }, 'RESPONSE_INVALID'],
  ];
  test.each(passing)('it tries again where the service %s', async (_, manner, error) => {
    const { service, deliverOne, deliverToTheEnd } = await setUp(subject);
    service.behave(manner);
    const event = sampleEvent();
    const outcome = await deliverOne({ event });
    expect(outcome).toHaveProperty('status', statusOf(/^(retry|deferred)$/));
    if (outcome.status === 'retry') expect(outcome.error).toBe(error);
    service.behave({ kind: 'accepts' });
    expect(await deliverToTheEnd(event, { attempt: 2 })).toHaveProperty('status', statusOf(/^(delivered|rejected)$/));
  });

  test('it tries again when nobody listens', async () => {
    const { service, deliverOne } = await setUp(subject);
    await service.end();
    expect(await deliverOne()).toMatchObject({ status: 'retry', error: 'CONNECTION' });
  });

  test.each([{ kind: 'hangs', applied: false }, { kind: 'drips' }] as const)('it is done by the time limit where the service %o', stopsSoon, async (manner) => {
    const { service, deliverOne } = await setUp(subject);
    service.behave(manner);
    const outcome = await deliverOne({}, { signal: AbortSignal.timeout(100) });
    expect(outcome).toHaveProperty('status', statusOf(/^(retry|deferred)$/));
    if (outcome.status === 'retry') expect(outcome.error).toBe('TIMEOUT');
  });

  test('it stops at once when it is told to, and does not blame the service', stopsSoon, async () => {
    const { service, deliverOne } = await setUp(subject);
    service.behave({ kind: 'hangs', applied: false });
    const before = service.requestCount();
    const stop = new AbortController();
    const delivery = deliverOne({}, { signal: stop.signal });
    await expect.poll(() => service.requestCount(), { interval: 5 }).toBeGreaterThan(before);
    stop.abort();
    const outcome = await delivery;
    expect(outcome).toHaveProperty('status', statusOf(/^(retry|deferred)$/));
    if (outcome.status === 'retry') expect(outcome.error).toBe('ABORTED');
  });

  test('it sends nothing where it was told to stop before it began', async () => {
    const { service, deliverOne } = await setUp(subject);
    const before = service.requestCount();
    expect(await deliverOne({}, { signal: AbortSignal.abort() })).toMatchObject({ status: 'retry', error: 'ABORTED' });
    expect(service.requestCount()).toBe(before);
  });

  test.runIf(hasAddressOfItsOwner)('it refuses settings that lead to a forbidden address, and sends nothing there; where that is our setting, its owner is not to blame', async () => {
    const { service, deliverOne, context } = await setUp(subject);
    const strict = networkPolicy({ allowLoopback: false });
    expect(provider.refuse?.(context().settings, strict)).toEqual(expect.stringContaining('may not reach'));
    expect(provider.refuse?.(context().settings, networkPolicy({ allowLoopback: true }))).toBeUndefined();
    const guarded = createHttpClient({ policy: strict });
    expect(await deliverOne({}, { http: guarded })).toMatchObject({ status: 'blocked' });
    await guarded.close();
    expect(service.requestCount()).toBe(0);
  });

  test.runIf(provider.preview)('its preview shows something and sends nothing', async () => {
    const { service, context } = await setUp(subject);
    const before = service.requestCount();
    const { settings } = context();
    const event = sampleEvent();
    const preview = provider.preview?.(event, { settings, form: sampleForm });
    expect(JSON.parse(JSON.stringify(preview))).toEqual(preview);
    expect(provider.preview?.(event, { settings, form: sampleForm })).toEqual(preview);
    // Who asks has given the settings, but not their secret members where these stay as they were.
    for (const secret of service.secrets) expect(JSON.stringify(preview)).not.toContain(secret);
    expect(service.requestCount()).toBe(before);
  });
}
