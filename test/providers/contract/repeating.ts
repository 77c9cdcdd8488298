import { expect, test } from 'vitest';
import { sampleEvent } from '../sample.ts';
import type { Manner, Subject } from '../service.ts';
import { setUp } from './set-up.ts';

/** What may have taken effect, and what has, without an answer that says so. */
const unclear: [what: string, manner: Manner][] = [
  ['a failure before it took effect', { kind: 'fails', applied: false }],
  ['a failure after it took effect', { kind: 'fails', applied: true }],
  ['a reset before it took effect', { kind: 'drops', applied: false }],
  ['a reset after it took effect', { kind: 'drops', applied: true }],
  ['silence before it took effect', { kind: 'hangs', applied: false }],
  ['silence after it took effect', { kind: 'hangs', applied: true }],
  ['an answer that makes no sense', { kind: 'babbles', applied: true }],
];

/** What a repeat must not do: have its effect a second time. */
export function describeRepeating<Settings>(subject: Subject<Settings>): void {
  test.each(unclear)('a repeat after %s has its effect once', async (_, manner) => {
    const { service, deliverOne, deliverToTheEnd } = await setUp(subject);
    const event = sampleEvent();
    service.behave(manner);
    await deliverOne({ event }, manner.kind === 'hangs' ? { signal: AbortSignal.timeout(150) } : {});
    service.behave({ kind: 'accepts' });
    await service.pass?.();
    const outcome = await deliverToTheEnd(event, { attempt: 2 });
    expectEffect(outcome, service.effectsOf(event));
    expect(await deliverToTheEnd(sampleEvent())).toHaveProperty('status', 'delivered');
  });

  test('a delivery that was delivered already has its effect once', async () => {
    const { service, deliverToTheEnd } = await setUp(subject);
    const [event, other] = [sampleEvent(), sampleEvent()];
    for (const each of [event, other, event]) expect(await deliverToTheEnd(each)).toHaveProperty('status', 'delivered');
    expect([event, other].map((each) => service.effectsOf(each))).toEqual([1, 1]);
  });

  test('one unclear batch after another, every event has its effect once', async () => {
    const { service, deliver, deliverToTheEnd, clock } = await setUp(subject);
    const events = Array.from({ length: Math.min(4, subject.provider.limits.batchSize) }, () => sampleEvent());
    for (const [attempt, [, manner]] of unclear.filter(([, { kind }]) => kind !== 'hangs').entries()) {
      service.behave(manner);
      await deliver(events.map((event) => ({ event, attempt: attempt + 1 })));
      clock.advance(60_000);
      await service.pass?.();
    }
    service.behave({ kind: 'accepts' });
    for (const event of events) expectEffect(await deliverToTheEnd(event, { attempt: unclear.length + 1 }), service.effectsOf(event));
  });
}

/** Once where it says so; where it gives up because nobody can tell, not twice either. */
function expectEffect(outcome: { status: string }, count: number): void {
  if (outcome.status === 'delivered') expect(count).toBe(1);
  else {
    expect(outcome).toMatchObject({ status: 'rejected', error: 'OUTCOME_UNKNOWN' });
    expect(count).toBeLessThanOrEqual(1);
  }
}
