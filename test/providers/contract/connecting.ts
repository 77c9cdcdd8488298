import { describe, expect, test } from 'vitest';
import { sampleEvent } from '../sample.ts';
import type { Manner, Subject } from '../service.ts';
import { setUp } from './set-up.ts';

const unclear: [what: string, manner: Manner][] = [
  ['a failure', { kind: 'fails', applied: false }],
  ['a failure after all took effect', { kind: 'fails', applied: true }],
  ['a reset', { kind: 'drops', applied: false }],
  ['a reset after all took effect', { kind: 'drops', applied: true }],
  ['answers that make no sense', { kind: 'babbles', applied: true }],
];

/** What is made outside is made once, and taken away again. */
export function describeConnecting<Settings>(subject: Subject<Settings>): void {
  const { provider } = subject;
  describe.runIf(provider.connect)('what it connects', () => {
    const connect = provider.connect!;
    const disconnect = provider.disconnect;
    const start = async () => {
      const at = await setUp(subject, { connected: false });
      return { ...at, made: () => at.service.madeCount?.() };
    };

    test('twice is connected once', async () => {
      const { made, context } = await start();
      const first = await connect(context());
      expect(first).toHaveProperty('status', 'done');
      const count = made();
      expect(await connect(context())).toEqual(first);
      expect(made()).toBe(count);
    });

    test.each(unclear)('is connected once after %s', async (_, manner) => {
      const { service, made, context, clock } = await start();
      service.behave(manner);
      expect(await connect(context())).toHaveProperty('status', expect.stringMatching(/^(retry|throttled)$/));
      service.behave({ kind: 'accepts' });
      clock.advance(60_000);
      expect(await connect(context())).toHaveProperty('status', 'done');
      expect(made()).toBe(1);
    });

    test('is done by the time limit, and not when it was told to stop before', async () => {
      const { service, context } = await start();
      service.behave({ kind: 'hangs', applied: false });
      expect(await connect(context({ signal: AbortSignal.timeout(100) }))).toMatchObject({ status: 'retry', error: 'TIMEOUT' });
      expect(await connect(context({ signal: AbortSignal.abort() }))).toMatchObject({ status: 'retry', error: 'ABORTED' });
    });

    test('takes deliveries, and loses none that came before', async () => {
      const { service, context, deliverOne, deliverToTheEnd } = await start();
      const event = sampleEvent();
      const early = await deliverOne({ event });
      expect(early).toHaveProperty('status', expect.stringMatching(/^(delivered|throttled|deferred|retry)$/));
      await connect(context());
      await deliverToTheEnd(event, { attempt: 2 });
      expect(service.effectsOf(event)).toBe(1);
    });

    test.runIf(disconnect)('twice is disconnected once, and before it was connected too', async () => {
      const { made, context } = await start();
      expect(await disconnect?.(context())).toHaveProperty('status', 'done');
      await connect(context());
      for (let count = 0; count < 2; count += 1) expect(await disconnect?.(context())).toHaveProperty('status', 'done');
      expect(made()).toBe(0);
    });

    test.runIf(disconnect).each(unclear)('is disconnected after %s', async (_, manner) => {
      const { service, made, context, clock } = await start();
      await connect(context());
      service.behave(manner);
      await disconnect?.(context());
      service.behave({ kind: 'accepts' });
      clock.advance(60_000);
      expect(await disconnect?.(context())).toHaveProperty('status', 'done');
      expect(made()).toBe(0);
    });
  });
}
