import { describe, expect, test } from 'vitest';
import type { CallbackRequest, Tracking, VerifyPage } from '../../../integrations/provider.ts';
import type { Event } from '../../../src/events/event.ts';
import { sampleEvent } from '../sample.ts';
import type { Subject } from '../service.ts';
import { setUp } from './set-up.ts';

const page = (events: readonly Event[]): VerifyPage => ({ events, erased: [], isLast: true, repair: false });
const trackingOf = (event: Event): Tracking => ({ eventId: event.id, reference: 'nothing of theirs', status: 'queued', rank: 1, isFinal: false });

/** What anybody can send to a callback's URL. */
const strangers: [what: string, request: Partial<CallbackRequest>][] = [
  ['nothing', {}],
  ['a GET', { method: 'GET' }],
  ['JSON', { headers: { 'content-type': 'application/json' }, body: '{"__proto__":{"status":"delivered"}}' }],
  ['broken JSON', { headers: { 'content-type': 'application/json' }, body: '{"a":' }],
  ['a form with a wrong signature', { headers: { 'content-type': 'application/x-www-form-urlencoded', 'x-twilio-signature': 'AAAA', 'x-signature': 'AAAA' }, body: 'MessageSid=SM1&MessageStatus=delivered' }],
  ['64 KiB', { body: 'a='.padEnd(65_536, '%FF') }],
  ['headers that come twice', { headers: { 'content-type': ['a', 'b'], 'x-twilio-signature': ['a', 'b'] } }],
];

/** What runs beside deliveries: comparing, following, being called back. */
export function describeBackground<Settings>(subject: Subject<Settings>): void {
  const { provider } = subject;

  describe.runIf(provider.verify)('a comparison', () => {
    test('finds nothing amiss with what was delivered, and names what is missing', async () => {
      const { context, deliverToTheEnd } = await setUp(subject);
      const [there, missing] = [sampleEvent(), sampleEvent()];
      await deliverToTheEnd(there);
      expect(await provider.verify?.(page([there]), context())).toEqual({ status: 'done', differing: [], surplus: [] });
      expect(await provider.verify?.(page([there, missing]), context())).toMatchObject({ status: 'done', differing: [{ responseId: missing.responseId, difference: expect.stringMatching(/\S/) }] });
    });

    test('changes nothing where no repair is asked for', async () => {
      const { service, context, deliverToTheEnd } = await setUp(subject);
      const [there, missing] = [sampleEvent(), sampleEvent()];
      await deliverToTheEnd(there);
      await provider.verify?.(page([missing]), context());
      expect([there, missing].map((event) => service.effectsOf(event))).toEqual([1, 0]);
    });

    test('ends as a call does where the service fails or says nothing', async () => {
      const { service, context } = await setUp(subject);
      service.behave({ kind: 'fails', applied: false });
      expect(await provider.verify?.(page([sampleEvent()]), context())).toHaveProperty('status', 'retry');
      service.behave({ kind: 'hangs', applied: false });
      expect(await provider.verify?.(page([sampleEvent()]), context({ signal: AbortSignal.timeout(100) }))).toMatchObject({ status: 'retry', error: 'TIMEOUT' });
    });
  });

  test.runIf(provider.follow)('following what nobody knows of, or where the service says nothing, ends without a word', { timeout: 9_000 }, async () => {
    const { service, context, tracked } = await setUp(subject);
    await provider.follow?.([], context());
    for (const manner of [{ kind: 'accepts' }, { kind: 'fails', applied: false }, { kind: 'babbles', applied: false }, { kind: 'hangs', applied: false }] as const) {
      service.behave(manner);
      await provider.follow?.([trackingOf(sampleEvent())], context({ signal: AbortSignal.timeout(100) }));
    }
    expect(tracked.filter(({ status }) => status === 'delivered')).toEqual([]);
  });

  test.runIf(provider.callback).each(strangers)('a callback that the service did not send is turned away, and changes nothing: %s', async (_, changes) => {
    const { context, tracked, noted } = await setUp(subject);
    const callbackUrl = 'https://forms.example.org/callbacks/intg_1';
    const before = noted.length;
    const reply = await provider.callback?.({ method: 'POST', url: `${callbackUrl}?event=evt_1`, headers: {}, body: '', ...changes }, context({ callbackUrl }));
    expect([400, 403, 404]).toContain(reply?.httpStatus);
    expect([reply?.wake ?? [], tracked, noted.slice(before)]).toEqual([[], [], []]);
  });
}
