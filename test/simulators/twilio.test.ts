import twilioLibrary from 'twilio';
import { describe, expect, test } from 'vitest';
import { startReceiver, type ReceivedRequest } from '../support/receiver.ts';
import { createManualClock } from '../support/simulators/clock.ts';
import { connectTwilio } from '../support/twilio/client.ts';
import { replyOfTwilio, TwilioError, type RefusalCode } from '../support/twilio/errors.ts';
import { countSegments } from '../support/twilio/segments.ts';
import { startTwilio, type TwilioOptions } from '../support/twilio/twilio.ts';

const from = '+15005550006';
const to = '+491701234567';

async function setUp(options: TwilioOptions = {}) {
  const twilio = await startTwilio(options);
  const client = connectTwilio(twilio);
  const send = (changes: Partial<Parameters<typeof client.messages.create>[0]> = {}) => client.messages.create({ from, to, body: 'Thank you', ...changes });
  const refusal = (changes: Parameters<typeof send>[0] = {}) => send(changes).then(() => 'none', describeError);
  return { twilio, client, send, refusal, [Symbol.asyncDispose]: () => twilio.close() };
}

const describeError = (error: unknown): string => {
  const { status, code, message } = error as { status?: number; code?: number; message: string };
  return `${status} ${code}: ${message}`;
};

const formOf = ({ body }: ReceivedRequest) => Object.fromEntries(new URLSearchParams(body.toString()));
const statusesOf = (requests: readonly ReceivedRequest[]) => requests.map((request) => formOf(request)['MessageStatus']);

describe('a message', () => {
  test('is queued, sending, sent and delivered, as who fetches it sees', async () => {
    await using at = await setUp();
    const { sid, status, numSegments, dateSent } = await at.send();
    expect({ status, numSegments, dateSent }).toEqual({ status: 'queued', numSegments: '1', dateSent: null });
    const seen: string[] = [];
    for (let step = 0; step < 4; step += 1) {
      await at.twilio.step();
      seen.push((await at.client.messages(sid).fetch()).status);
    }
    expect(seen).toEqual(['sending', 'sent', 'delivered', 'delivered']);
    expect((await at.client.messages(sid).fetch()).dateSent).toBeInstanceOf(Date);
  });

  test('of a messaging service is accepted first', async () => {
    await using at = await setUp();
    const [messagingServiceSid] = [...at.twilio.account.services.keys()];
    const message = await at.client.messages.create({ to, body: 'Thank you', messagingServiceSid: messagingServiceSid! });
    expect(message).toMatchObject({ status: 'accepted', messagingServiceSid });
    expect(await at.refusal({ messagingServiceSid: `MG${'1'.repeat(32)}` })).toContain('404 21701');
  });

  test('that does not arrive says why', async () => {
    await using at = await setUp();
    at.twilio.account.fates.set(to, { status: 'undelivered', errorCode: 30003 });
    const { sid } = await at.send();
    await at.twilio.settle();
    expect(await at.client.messages(sid).fetch()).toMatchObject({ status: 'undelivered', errorCode: 30003, errorMessage: 'Unreachable destination handset' });
  });

  test('that waited for longer than it is valid fails', async () => {
    const clock = createManualClock();
    await using at = await setUp({ clock });
    const { sid } = await at.send({ validityPeriod: 60 });
    clock.advance(61_000);
    await at.twilio.settle();
    expect(await at.client.messages(sid).fetch()).toMatchObject({ status: 'failed', errorCode: 30036 });
    expect(await at.refusal({ validityPeriod: 36_001 })).toContain('400 90007');
  });

  test('sent twice is two messages: there is no idempotency', async () => {
    await using at = await setUp();
    await at.send();
    await at.send();
    expect(at.twilio.countsByNumber()).toEqual(new Map([[to, 2]]));
  });

  test('is found by its recipient; by the date it was sent only once it was sent', async () => {
    const clock = createManualClock();
    await using at = await setUp({ clock, listDelayMs: 1000 });
    const before = clock.now();
    await at.send();
    const count = async (filter: object = {}) => (await at.client.messages.list({ to, ...filter })).length;
    expect(await count()).toBe(0);
    clock.advance(1000);
    expect([await count(), await count({ dateSentAfter: before }), await count({ to: '+491709999999' })]).toEqual([1, 0, 0]);
    await at.twilio.step();
    expect([await count({ dateSentAfter: before }), await count({ dateSentAfter: new Date(before.getTime() + 60_000) }), await count({ dateSent: before })]).toEqual([1, 0, 1]);
  });

  test('comes in lists of pages, newest first', async () => {
    await using at = await setUp();
    for (const body of ['1', '2', '3', '4', '5']) await at.send({ body });
    const listed = await at.client.messages.list({ to, pageSize: 2 });
    expect(listed.map(({ body }) => body)).toEqual(['5', '4', '3', '2', '1']);
  });
});

describe('a message is refused', () => {
  const codes: [RefusalCode, number][] = [[21211, 400], [21610, 400], [21612, 400], [21614, 400], [21617, 400], [21608, 400], [21408, 400], [21611, 429], [20429, 429]];
  test.each(codes)('with %i where the number is set to', async (code, status) => {
    await using at = await setUp();
    at.twilio.account.refusals.set(to, code);
    expect(await at.refusal()).toMatch(new RegExp(`^${status} ${code}: `));
    expect(at.twilio.messages).toEqual([]);
  });

  test('where it breaks a rule of Twilio, with the code for that', async () => {
    await using at = await setUp();
    const { account } = at.twilio;
    expect(await at.refusal({ to: '0170123' })).toContain('400 21211');
    expect(await at.refusal({ from: '+15005550001' })).toContain('400 21606');
    expect(await at.refusal({ from: 'not a number at all' })).toContain('400 21212');
    expect(await at.refusal({ body: '' })).toContain('400 21602');
    expect(await at.refusal({ body: 'a'.repeat(1601) })).toContain('400 21617');
    expect(await at.refusal({ statusCallback: 'nowhere' })).toContain('400 21609');
    account.blockedRegions = ['+49'];
    expect(await at.refusal()).toContain('400 21408');
    account.blockedRegions = [];
    account.optOuts.add(to);
    expect(await at.refusal()).toContain('400 21610');
    account.optOuts.clear();
    account.verifiedByTrial = new Set();
    expect(await at.refusal()).toContain('400 21608');
    account.verifiedByTrial = undefined;
    account.maxQueued = 1;
    expect([await at.refusal(), await at.refusal()]).toEqual(['none', expect.stringContaining('429 21611')]);
  });

  test('to those who do not know the token, also after it was changed', async () => {
    await using at = await setUp();
    const stranger = connectTwilio(at.twilio, { authToken: 'wrong' });
    expect(await stranger.messages.create({ from, to, body: 'x' }).then(() => 'none', describeError)).toBe('401 20003: Authenticate');
    at.twilio.account.authToken = 'changed';
    expect(await at.refusal()).toContain('401 20003');
  });

  test('when there are too many in a second', async () => {
    const clock = createManualClock();
    await using at = await setUp({ clock, requestsPerSecond: 2 });
    expect([await at.refusal(), await at.refusal(), await at.refusal()]).toEqual(['none', 'none', '429 20429: Too Many Requests']);
    clock.advance(1000);
    expect(await at.refusal()).toBe('none');
  });
});

describe('status callbacks', () => {
  test('go out for every change but the first status, signed as the library verifies', async () => {
    await using at = await setUp();
    await using receiver = await startReceiver();
    const statusCallback = `${receiver.url}?delivery=dlv_1&x=a%20b`;
    const { sid } = await at.send({ statusCallback });
    await at.twilio.settle();
    expect(statusesOf(receiver.requests)).toEqual(['sending', 'sent', 'delivered']);
    for (const request of receiver.requests) {
      const signature = String(request.headers['x-twilio-signature']);
      expect(twilioLibrary.validateRequest(at.twilio.account.authToken, signature, statusCallback, formOf(request))).toBe(true);
      expect(twilioLibrary.validateRequest('another token', signature, statusCallback, formOf(request))).toBe(false);
      expect(formOf(request)).toMatchObject({ MessageSid: sid, To: to, From: from, AccountSid: at.twilio.account.sid });
      expect(request.path).toBe('/hooks?delivery=dlv_1&x=a%20b');
    }
  });

  test('carry the code of what went wrong', async () => {
    await using at = await setUp();
    await using receiver = await startReceiver();
    at.twilio.account.fates.set(to, { status: 'failed', errorCode: 30007 });
    await at.send({ statusCallback: receiver.url });
    await at.twilio.settle();
    expect(receiver.requests.map(formOf)).toMatchObject([{ MessageStatus: 'failed', ErrorCode: '30007' }]);
  });

  test('can be in disorder, repeated and lost', async () => {
    await using at = await setUp({ callbacks: { order: 'reversed', times: 2, isLost: ({ status }) => status === 'sending' } });
    await using receiver = await startReceiver();
    await at.send({ statusCallback: receiver.url });
    await at.twilio.settle();
    expect(statusesOf(receiver.requests)).toEqual(['delivered', 'delivered', 'sent', 'sent']);
    at.twilio.manner.order = 'shuffled';
    await at.send({ statusCallback: receiver.url });
    await at.twilio.settle();
    expect(statusesOf(receiver.requests).slice(4).toSorted((left = '', right = '') => left.localeCompare(right))).toEqual(['delivered', 'delivered', 'sent', 'sent']);
  });

  test('are not sent again where the receiver is away or fails', async () => {
    await using at = await setUp();
    await using receiver = await startReceiver({ respond: ({ index }) => (index === 0 ? 500 : 'reset') });
    await at.send({ statusCallback: receiver.url });
    await at.twilio.settle();
    expect(at.twilio.callbacks.map(({ status, answered }) => [status, answered])).toEqual([['sending', 500], ['sent', undefined], ['delivered', undefined]]);
  });

  test('may arrive before the answer to the request that made the message', async () => {
    await using at = await setUp();
    await using receiver = await startReceiver();
    at.twilio.faults.add({ answerDelayMs: 500 });
    await using _running = at.twilio.run(5);
    let isAnswered = false;
    const sending = at.send({ statusCallback: receiver.url }).then(() => (isAnswered = true));
    await receiver.waitFor(3);
    expect(isAnswered).toBe(false);
    await sending;
  });
});

describe('a fault', () => {
  test.each([
    ['a connection dropped before accepting', { kind: 'drop', applied: false } as const, 0],
    ['a connection dropped after accepting', { kind: 'drop', applied: true } as const, 1],
    ['503 before accepting', { kind: 'reply', reply: replyOfTwilio(new TwilioError(20503)) } as const, 0],
    ['500 after accepting', { kind: 'reply', reply: replyOfTwilio(new TwilioError(20500)), applied: true } as const, 1],
    ['no answer after accepting', { kind: 'hang', applied: true } as const, 1],
    ['a body that breaks off', { kind: 'truncated' } as const, 1],
  ])('can be %s', async (_, outcome, accepted) => {
    await using at = await setUp();
    const client = connectTwilio(at.twilio, { timeoutMs: 300 });
    at.twilio.faults.add({ when: ({ operation }) => operation === 'messages.create', outcome });
    await expect(client.messages.create({ from, to, body: 'x' })).rejects.toThrow();
    expect(at.twilio.messages).toHaveLength(accepted);
    expect(at.twilio.requests[0]).toMatchObject({ operation: 'messages.create', fault: outcome.kind, applied: accepted === 1 });
  });

  test('can be throttling that says when to come back', async () => {
    await using at = await setUp();
    at.twilio.faults.add({ outcome: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20429), { 'retry-after': '3' }) } });
    expect(await at.refusal()).toBe('429 20429: Too Many Requests');
    expect(await at.refusal()).toBe('none');
  });
});

test.each([
  ['a'.repeat(160), 1],
  ['a'.repeat(161), 2],
  ['a'.repeat(307), 3],
  ['€'.repeat(80), 1],
  ['€'.repeat(81), 2],
  ['ж'.repeat(70), 1],
  ['ж'.repeat(71), 2],
  ['😀'.repeat(36), 2],
])('%s is sent in segments of GSM-7 or UCS-2: %i', (text, segments) => {
  expect(countSegments(text)).toBe(segments);
});
