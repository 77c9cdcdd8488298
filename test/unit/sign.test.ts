import { readFileSync } from 'node:fs';
import { Webhook } from 'standardwebhooks';
import { describe, expect, test } from 'vitest';
import { createSecret, signatures } from '../../integrations/webhook/sign.ts';

interface Vector {
  secret: string;
  id: string;
  timestamp: number;
  payload: string;
  signature: string;
}
const vectors = JSON.parse(
  readFileSync(new URL('../support/data/signature-vectors.json', import.meta.url), 'utf8'),
) as Vector[];

const now = Math.floor(Date.now() / 1_000);
const body = Buffer.from('{"text":"Zoë 🙂\\u0000","n":1.0}');
const headersFor = (id: string, signature: string) => ({
  'webhook-id': id,
  'webhook-timestamp': String(now),
  'webhook-signature': signature,
});

describe('signatures', () => {
  test.each(vectors)('agrees with the published vector $id', ({ secret, id, timestamp, payload, signature }) => {
    expect(signatures({ id, timestamp, body: Buffer.from(payload) }, [secret])).toBe(signature);
  });

  test('is accepted by the reference verifier', () => {
    const secret = createSecret();
    const headers = headersFor('evt_1', signatures({ id: 'evt_1', timestamp: now, body }, [secret]));
    expect(new Webhook(secret).verify(body, headers)).toEqual({ text: 'Zoë 🙂\0', n: 1 });
  });

  test('during a rotation the old secret and the new one both verify, newest first', () => {
    const [newest, old, unrelated] = [createSecret(), createSecret(), createSecret()];
    const signed = { id: 'evt_1', timestamp: now, body };
    const both = signatures(signed, [newest, old]);
    expect(both).toBe(`${signatures(signed, [newest])} ${signatures(signed, [old])}`);
    for (const secret of [newest, old]) new Webhook(secret).verify(body, headersFor('evt_1', both));
    expect(() => new Webhook(unrelated).verify(body, headersFor('evt_1', both))).toThrow('No matching signature');
  });

  test.each([
    ['id', { id: 'evt_2', timestamp: now, body }],
    ['timestamp', { id: 'evt_1', timestamp: now + 1, body }],
    ['body', { id: 'evt_1', timestamp: now, body: Buffer.concat([body, Buffer.from(' ')]) }],
  ])('changes with the %s', (_, changed) => {
    const secret = createSecret();
    expect(signatures(changed, [secret])).not.toBe(signatures({ id: 'evt_1', timestamp: now, body }, [secret]));
  });

  test('signs bytes that are not UTF-8 as they are', () => {
    const secret = createSecret();
    const sign = (bytes: number[]) => signatures({ id: 'evt_1', timestamp: now, body: Uint8Array.from(bytes) }, [secret]);
    expect(sign([0xff])).not.toBe(sign([0xfe]));
  });

  test('without a secret it throws a RangeError', () => {
    expect(() => signatures({ id: 'evt_1', timestamp: now, body }, [])).toThrow(RangeError);
  });

  test.each(['MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_', 'whsec_!!'])('refuses the malformed secret %s without naming it', (secret) => {
    expect(() => signatures({ id: 'evt_1', timestamp: now, body }, [secret])).toThrow(
      new RangeError('A webhook secret is whsec_ followed by base64.'),
    );
  });

  test('still signs rightly after more secrets than it remembers', () => {
    const signed = { id: 'evt_1', timestamp: now, body };
    const first = createSecret();
    const before = signatures(signed, [first]);
    for (let count = 0; count < 5_000; count += 1) signatures(signed, [createSecret()]);
    expect(signatures(signed, [first])).toBe(before);
  });
});

test('a new secret is whsec_ and 24 to 64 random bytes in base64', () => {
  const [one, other] = [createSecret(), createSecret()];
  expect(one).toMatch(/^whsec_[A-Za-z0-9+/]+=*$/);
  expect(Buffer.from(one.slice(6), 'base64')).toHaveLength(32);
  expect(one).not.toBe(other);
});
