import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { z } from 'zod';
import type { CallContext, DeliveryRequest, HttpClient, Outcome, Provider } from '../../integrations/provider.ts';
import type { Event } from '../../src/events/event.ts';
import { newId } from '../../src/events/id.ts';
import { networkPolicy } from '../../src/outbound/address-policy.ts';
import { createHttpClient, type ClosableHttpClient } from '../../src/outbound/http-client.ts';
import { createCallContext } from '../support/call-context.ts';
import { startReceiver, type Behaviour, type ReceivedRequest, type Receiver } from '../support/receiver.ts';

/** What the contract must be told about a provider: how its outside service speaks. */
export interface Subject<Settings> {
  provider: Provider<Settings>;
  /** Settings that make it talk to this URL. */
  settingsFor(url: string): Settings;
  secrets: readonly string[];
  /** Texts of the settings above that no reason may show, beside the secrets. */
  confidential: readonly string[];
  replies: {
    accepted: Behaviour;
    /** Says that nothing will be taken any more. */
    refusedForGood: Behaviour;
    failing: Behaviour;
    throttled: Behaviour;
    throttledFor(seconds: number): Behaviour;
  };
  /** What the receiver knows a repeat by. */
  idempotencyKeyOf(request: ReceivedRequest): string | undefined;
}

/** An event as it comes to a provider; every call makes another one. */
export function sampleEvent(): Event {
  const responseId = newId('resp');
  return {
    id: newId('evt'),
    type: 'response.created',
    organizationId: newId('org'),
    formId: newId('form'),
    responseId,
    position: 1,
    integrationsVersion: 1,
    body: Buffer.from(JSON.stringify({ type: 'response.created', data: { response: { id: responseId, text: 'Zoë "🙂"' } } })),
  };
}

/**
 * What every provider must keep, run against a local server that speaks for the outside service. The dispatcher relies
 * on each of these; a provider's own tests add what is special to it.
 */
export function describeProvider<Settings>(subject: Subject<Settings>): void {
  const { provider, replies, secrets } = subject;
  const deliver = (batch: readonly DeliveryRequest[], context: CallContext<Settings>): Promise<Outcome[]> => {
    if (!provider.deliver) throw new Error(`${provider.name} delivers nothing`);
    return provider.deliver(batch, context);
  };

  describe(`${provider.name} keeps the providers' contract:`, () => {
    let http: ClosableHttpClient;
    let receiver: Receiver;

    beforeAll(() => {
      http = createHttpClient({ policy: { allowLoopback: true } });
    });
    afterAll(() => http.close());
    beforeEach(async () => {
      receiver = await startReceiver({ respond: () => replies.accepted });
      return () => receiver.close();
    });

    const signalThatNeverAborts = (): AbortSignal => new AbortController().signal;

    function contextFor(changes: { signal?: AbortSignal; http?: HttpClient } = {}): CallContext<Settings> {
      const settings = subject.settingsFor(receiver.url);
      return { ...createCallContext(settings), secrets, http, signal: signalThatNeverAborts(), ...changes };
    }

    async function deliverOne(request?: Partial<DeliveryRequest>, changes?: Parameters<typeof contextFor>[0]): Promise<Outcome> {
      const outcomes = await deliver([{ event: sampleEvent(), attempt: 1, ...request }], contextFor(changes));
      expect(outcomes).toHaveLength(1);
      const [outcome] = outcomes;
      if (outcome === undefined) throw new Error('unreachable: the length is 1');
      return outcome;
    }

    test('its settings are stable when parsed again, and have a JSON Schema', () => {
      const settings = subject.settingsFor(receiver.url);
      expect(provider.settings.parse(settings)).toEqual(settings);
      expect(z.toJSONSchema(provider.settings, { io: 'input' })).toMatchObject({ type: 'object' });
    });

    const hasAddressOfItsOwner = provider.refuse !== undefined;
    test.runIf(hasAddressOfItsOwner)('it refuses settings that lead to a forbidden address, and sends nothing there', async () => {
      const strict = networkPolicy({ allowLoopback: false });
      const settings = subject.settingsFor(receiver.url);
      expect(provider.refuse?.(settings, strict)).toEqual(expect.stringContaining('may not reach'));
      expect(provider.refuse?.(settings, networkPolicy({ allowLoopback: true }))).toBeUndefined();
      const guarded = createHttpClient({ policy: strict });
      expect(await deliverOne({}, { http: guarded })).toMatchObject({ status: 'broken', error: 'ADDRESS_REFUSED' });
      await guarded.close();
      expect(receiver.requests).toHaveLength(0);
    });

    test('it answers one outcome for each delivery of a full batch', async () => {
      const batch = Array.from({ length: provider.limits.batchSize }, () => ({ event: sampleEvent(), attempt: 1 }));
      const outcomes = await deliver(batch, contextFor());
      expect(outcomes.map(({ status }) => status)).toEqual(batch.map(() => 'delivered'));
    });

    test('it reports a refusal for good as one that no further attempt mends', async () => {
      receiver.respond = () => replies.refusedForGood;
      expect(await deliverOne()).toHaveProperty('status', expect.stringMatching(/^(broken|rejected)$/));
    });

    test('it tries again after a failure of the service', async () => {
      receiver.respond = () => replies.failing;
      expect(await deliverOne()).toMatchObject({ status: 'retry', error: 'HTTP_STATUS' });
    });

    test('it waits as long as a throttling service asks for', async () => {
      receiver.respond = () => replies.throttledFor(7);
      expect(await deliverOne()).toMatchObject({ status: 'retry', afterMs: 7_000 });
    });

    test('it leaves the wait to the schedule where a throttling service asks for none', async () => {
      receiver.respond = () => replies.throttled;
      const outcome = await deliverOne();
      expect(outcome).toHaveProperty('status', 'retry');
      expect(outcome).not.toHaveProperty('afterMs');
    });

    test.each(['hang', 'drip'] as const)('it is done by the time limit where the service lets it %s', async (behaviour) => {
      receiver.respond = () => behaviour;
      expect(await deliverOne({}, { signal: AbortSignal.timeout(100) })).toMatchObject({ status: 'retry', error: 'TIMEOUT' });
      await receiver.waitForConnections(0);
    });

    test('it stops at once when it is told to, and does not blame the service', async () => {
      receiver.respond = () => 'hang';
      const stop = new AbortController();
      const outcome = deliverOne({}, { signal: stop.signal });
      await receiver.waitFor(1);
      stop.abort();
      expect(await outcome).toMatchObject({ status: 'retry', error: 'ABORTED' });
      await receiver.waitForConnections(0);
    });

    test('it tries again when nobody listens', async () => {
      await receiver.close();
      expect(await deliverOne()).toMatchObject({ status: 'retry', error: 'CONNECTION' });
    });

    test('it tries again after an answer that makes no sense', async () => {
      receiver.respond = () => ({ raw: 'NOPE\r\n\r\n' });
      expect(await deliverOne()).toMatchObject({ status: 'retry', error: 'RESPONSE_INVALID' });
    });

    test('a repeat has the same bytes and the same key, and another event another key', async () => {
      receiver.respond = ({ index }) => (index === 0 ? replies.failing : replies.accepted);
      const event = sampleEvent();
      expect(await deliverOne({ event, attempt: 1 })).toHaveProperty('status', 'retry');
      expect(await deliverOne({ event, attempt: 2 })).toHaveProperty('status', 'delivered');
      await deliverOne();
      const [first, second, other] = receiver.requests;
      expect(second?.body).toEqual(first?.body);
      const [firstKey, secondKey, otherKey] = [first, second, other].map((each) => each && subject.idempotencyKeyOf(each));
      expect(firstKey).toBeTruthy();
      expect(secondKey).toBe(firstKey);
      expect(otherKey).not.toBe(firstKey);
    });

    test('no reason shows a secret, and each is a sentence', async () => {
      const behaviours = [replies.refusedForGood, replies.failing, replies.throttled, replies.throttledFor(7), 'reset', { raw: 'NOPE\r\n\r\n' }] as const;
      const outcomes: Outcome[] = [];
      for (const behaviour of behaviours) {
        receiver.respond = () => behaviour;
        outcomes.push(await deliverOne());
      }
      outcomes.push(await deliverOne({}, { signal: AbortSignal.abort() }));
      receiver.respond = () => 'hang';
      outcomes.push(await deliverOne({}, { signal: AbortSignal.timeout(50) }));
      await receiver.close();
      outcomes.push(await deliverOne());

      const reasons = outcomes.map((outcome) => ('reason' in outcome ? outcome.reason : 'delivered'));
      for (const reason of reasons) expect(reason).toMatch(/^[A-Z0-9].*\.$/s);
      for (const secret of [...secrets, ...subject.confidential]) expect(reasons.join('\n')).not.toContain(secret);
    });
  });
}
