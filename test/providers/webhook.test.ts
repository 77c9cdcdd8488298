import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import type { Outcome } from '../../integrations/provider.ts';
import { createSecret } from '../../integrations/webhook/sign.ts';
import { webhookSettings, type WebhookSettings } from '../../integrations/webhook/settings.ts';
import { webhook } from '../../integrations/webhook/webhook.ts';
import { createHttpClient, type ClosableHttpClient } from '../../src/outbound/http-client.ts';
import { createCallContext } from '../support/call-context.ts';
import { startReceiver, verifySignature, type Receiver } from '../support/receiver.ts';
import { describeProvider, sampleEvent } from './contract.ts';
import { startEndpoint } from './services/endpoint.ts';

const secrets = [createSecret(), createSecret()];

describeProvider({
  provider: webhook,
  start: () =>
    startEndpoint({
      settingsFor: (url) =>
        webhookSettings.parse({
          url: `${url}/T0PSECRETPATH?token=T0PSECRETQUERY`,
          headers: [{ name: 'Authorization', value: 'Bearer T0PSECRETHEADER' }],
        }),
      secrets: ['Bearer T0PSECRETHEADER'],
      confidential: ['T0PSECRETPATH', 'T0PSECRETQUERY', 'T0PSECRETHEADER', ...secrets.map((secret) => secret.slice(6))],
      context: { secrets },
      keyOf: ({ id }) => id,
    }),
});

describe('a webhook delivery', () => {
  let http: ClosableHttpClient;
  let receiver: Receiver;

  beforeAll(() => {
    http = createHttpClient({ policy: { allowLoopback: true } });
  });
  afterAll(() => http.close());
  beforeEach(async () => {
    receiver = await startReceiver();
    return () => receiver.close();
  });

  async function deliver(changes: { settings?: Partial<WebhookSettings>; now?: () => Date } = {}): Promise<Outcome[]> {
    const settings = { ...webhookSettings.parse({ url: receiver.url }), ...changes.settings };
    const { now = () => new Date() } = changes;
    return webhook.deliver([{ event, attempt: 1 }], createCallContext(settings, { secrets, http, now }));
  }
  const event = sampleEvent();

  test('is the event, byte for byte, with the headers of Standard Webhooks', async () => {
    const now = new Date('2026-11-21T06:30:00.999Z');
    await deliver({ now: () => now });
    expect(receiver.requests[0]).toMatchObject({
      method: 'POST',
      body: event.body,
      headers: {
        'content-type': 'application/json',
        'user-agent': expect.stringMatching(/^Formwire\//),
        'webhook-id': event.id,
        'webhook-timestamp': '1795242600',
      },
    });
  });

  test('verifies with the new secret and with the one it replaces', async () => {
    await deliver();
    for (const secret of secrets) verifySignature(receiver.requests[0], secret);
    expect(() => verifySignature(receiver.requests[0], createSecret())).toThrow('No matching signature');
  });

  test('is signed anew at every attempt, with its own time', async () => {
    let ms = Date.parse('2026-11-21T06:30:00Z');
    for (let count = 0; count < 2; count += 1) await deliver({ now: () => new Date((ms += 60_000)) });
    const [first, second] = receiver.requests.map(({ headers }) => headers);
    expect(second?.['webhook-timestamp']).not.toBe(first?.['webhook-timestamp']);
    expect(second?.['webhook-signature']).not.toBe(first?.['webhook-signature']);
    expect(second?.['webhook-id']).toBe(first?.['webhook-id']);
  });

  test("carries the owner's headers", async () => {
    await deliver({ settings: { headers: [{ name: 'Authorization', value: 'Bearer abc' }, { name: 'X-Team', value: 'a, b' }] } });
    expect(receiver.requests[0]?.headers).toMatchObject({ authorization: 'Bearer abc', 'x-team': 'a, b' });
  });

  test('sets its own headers, whatever was stored', async () => {
    await deliver({ settings: { headers: [{ name: 'Webhook-Id', value: 'mine' }, { name: 'Content-Type', value: 'text/plain' }] } });
    expect(receiver.requests[0]?.headers).toMatchObject({ 'webhook-id': event.id, 'content-type': 'application/json' });
  });

  test("is given up at the settings' time limit", async () => {
    receiver.respond = () => 'hang';
    expect(await deliver({ settings: { timeoutMs: 50 } })).toMatchObject([
      { status: 'retry', error: 'TIMEOUT', reason: expect.stringContaining('within 0.05 s') },
    ]);
  });

  test('keeps what the receiver answered', async () => {
    receiver.respond = () => ({ status: 500, body: 'no such table' });
    expect(await deliver()).toMatchObject([{ httpStatus: 500, responseBody: 'no such table' }]);
  });
});

describe('webhook settings', () => {
  const url = 'https://example.com/hooks';
  const named = (name: string) => ({ url, headers: [{ name, value: 'a' }] });

  test('need a URL alone', () => {
    expect(webhookSettings.parse({ url })).toEqual({ url, ordered: false, timeoutMs: 15_000 });
  });

  test('say whether order is kept', () => {
    expect(webhook.isOrdered?.(webhookSettings.parse({ url, ordered: true }))).toBe(true);
    expect(webhook.isOrdered?.(webhookSettings.parse({ url }))).toBe(false);
  });

  test('fit the limits: the provider never ends a delivery before they do', () => {
    expect(webhookSettings.safeParse({ url, timeoutMs: webhook.limits.timeoutMs }).success).toBe(false);
  });

  const refused: [what: string, input: unknown, message: string][] = [
    ['no URL', { url: 'example.com/hooks' }, 'This is not a URL'],
    ['a URL without an end', { url: `${url}/${'x'.repeat(2_048)}` }, 'at most 2,048'],
    ['a time limit of nothing', { url, timeoutMs: 999 }, 'at least 1,000'],
    ['a time limit of a minute', { url, timeoutMs: 60_000 }, 'at most 30,000'],
    ['half a millisecond', { url, timeoutMs: 1_000.5 }, 'whole number'],
    ['21 headers', { url, headers: Array.from({ length: 21 }, (_, index) => ({ name: `x-${index}`, value: '' })) }, 'At most 20'],
    ['a header twice', { url, headers: [{ name: 'X-A', value: '' }, { name: 'x-a', value: '' }] }, 'given once'],
    ['a header without a name', named(''), 'letters, digits'],
    ['a name with a space', named('x y'), 'letters, digits'],
    ['a name with a line break', named('x\r\ny'), 'letters, digits'],
    ['a value with a line break', { url, headers: [{ name: 'x', value: 'a\r\ny: b' }] }, 'one line'],
    ['a value with a lone line feed at its end', { url, headers: [{ name: 'x', value: 'a\n' }] }, 'one line'],
    ['a value beyond ASCII', { url, headers: [{ name: 'x', value: 'ä' }] }, 'printable ASCII'],
  ];
  const reserved = [
    'Host', 'CONTENT-TYPE', 'content-length', 'Connection', 'Transfer-Encoding', 'webhook-signature', 'Webhook-Id',
    'proxy-authorization', 'Expect', 'Accept-Encoding',
  ];
  for (const name of reserved) refused.push([`the header ${name}`, named(name), 'set by the delivery itself']);

  test.each(refused)('refuse %s', (_, input, message) => {
    const parsed = webhookSettings.safeParse(input);
    expect(parsed.error?.issues.map((issue) => issue.message).join(' ')).toContain(message);
  });
});
