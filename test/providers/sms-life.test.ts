import { describe, expect, test, vi } from 'vitest';
import type { CallbackRequest, HttpClient, HttpExchange } from '../../integrations/provider.ts';
import { sms } from '../../integrations/sms/sms.ts';
import { newId } from '../../src/events/id.ts';
import { receiptEvent, respondentNumber, startReceipts, type Receipts } from '../support/receipts.ts';
import { replyOfTwilio, TwilioError, type RefusalCode } from '../support/twilio/errors.ts';
import { signCallback } from '../support/twilio/callbacks.ts';

const day = 24 * 3_600_000;
const other = '+491709999999';

describe('a refusal', () => {
  const refused: [code: RefusalCode, outcome: object][] = [
    [21211, { status: 'rejected', error: 'REFUSED' }],
    [21612, { status: 'rejected', error: 'REFUSED' }],
    [21408, { status: 'deferred', afterMs: 3_600_000 }],
    [21608, { status: 'deferred', afterMs: 3_600_000 }],
    [21606, { status: 'blocked' }],
    [20003, { status: 'blocked' }],
    [21611, { status: 'throttled' }],
    [20429, { status: 'throttled' }],
  ];
  test.each(refused)('%i is told by its class, and the same receipt goes out once it is mended', async (code, outcome) => {
    await using at = await startReceipts();
    at.twilio.account.refusals.set(respondentNumber, code);
    const event = receiptEvent();
    expect(await at.deliver(event)).toMatchObject({ ...outcome, reason: expect.stringContaining(String(code)), httpStatus: expect.any(Number) });
    at.twilio.account.refusals.clear();
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toHaveLength(1);
  });

  test('of one number does not keep others from theirs', async () => {
    await using at = await startReceipts();
    at.twilio.account.blockedRegions = ['+93'];
    expect(await at.deliver(receiptEvent({ mobile: '+93701234567' }))).toHaveProperty('status', 'deferred');
    expect(await at.deliver(receiptEvent())).toEqual({ status: 'delivered' });
  });

  test('names no number', async () => {
    await using at = await startReceipts();
    for (const code of [21211, 21608, 21610, 21606] as const) {
      at.twilio.account.refusals.set(respondentNumber, code);
      expect(JSON.stringify(await at.deliver(receiptEvent()))).not.toContain(respondentNumber.slice(6));
    }
  });
});

describe('a number that has unsubscribed', () => {
  test('is not written to for a week, without asking Twilio, and then asked about again', async () => {
    await using at = await startReceipts();
    at.twilio.account.optOuts.add(respondentNumber);
    for (let count = 0; count < 2; count += 1) {
      expect(await at.deliver(receiptEvent())).toMatchObject({ status: 'rejected', error: 'REFUSED', reason: expect.stringContaining('unsubscribed') });
    }
    expect(at.twilio.requests).toHaveLength(1);
    expect(await at.deliver(receiptEvent({ mobile: other }))).toEqual({ status: 'delivered' });
    at.twilio.account.optOuts.clear();
    at.clock.advance(7 * day);
    expect(await at.deliver(receiptEvent())).toEqual({ status: 'delivered' });
  });

  test('is known from a callback too', async () => {
    await using at = await startReceipts();
    at.twilio.account.fates.set(respondentNumber, { status: 'failed', errorCode: 21610 });
    const event = receiptEvent();
    await at.deliver(event);
    await at.twilio.settle();
    expect(at.tracking(event)).toMatchObject({ status: 'failed', detail: expect.stringContaining('unsubscribed') });
    expect(await at.deliver(receiptEvent())).toMatchObject({ status: 'rejected', reason: expect.stringContaining('+4917…67 has unsubscribed') });
  });
});

describe('the limit of a number and day', () => {
  test('lets so many out, and takes the next day anew', async () => {
    await using at = await startReceipts({ settings: { perNumberAndDay: 2 } });
    const outcomes = await at.allToTheEnd(Array.from({ length: 4 }, () => receiptEvent()));
    expect(outcomes.filter(({ status }) => status === 'delivered')).toHaveLength(2);
    expect(outcomes).toContainEqual({ status: 'rejected', error: 'REFUSED', reason: '+4917…67 has had its 2 messages of this day (UTC): more are not sent.' });
    expect(await at.deliver(receiptEvent({ mobile: other }))).toEqual({ status: 'delivered' });
    at.clock.advance(day);
    expect(await at.deliver(receiptEvent())).toEqual({ status: 'delivered' });
    expect(at.twilio.countsByNumber()).toEqual(new Map([[respondentNumber, 3], [other, 1]]));
  });

  test('counts a message once, however often it was refused before', async () => {
    await using at = await startReceipts({ settings: { perNumberAndDay: 1 } });
    const event = receiptEvent();
    at.twilio.account.refusals.set(respondentNumber, 21611);
    for (let count = 0; count < 3; count += 1) expect(await at.deliver(event)).toHaveProperty('status', 'throttled');
    at.twilio.account.refusals.clear();
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(await at.deliver(receiptEvent())).toHaveProperty('status', 'rejected');
  });
});

describe('a response', () => {
  test('without a number gets no receipt, and one with a wrong number is for somebody to see', async () => {
    await using at = await startReceipts();
    expect(await at.deliver(receiptEvent({ mobile: null }))).toEqual({ status: 'skipped', reason: 'The respondent’s mobile number is missing, so nobody can be written to.' });
    expect(await at.deliver(receiptEvent({ mobile: '0170 12' }))).toMatchObject({ status: 'rejected', error: 'REFUSED', reason: expect.not.stringContaining('0170') });
    expect(at.twilio.requests).toEqual([]);
  });

  test('that is erased gets none', async () => {
    await using at = await startReceipts();
    expect(await at.deliver({ ...receiptEvent(), type: 'response.deleted', body: Buffer.from('{}') })).toHaveProperty('status', 'skipped');
  });

  test('of a form that the template does not fit any more keeps everything pending', async () => {
    await using at = await startReceipts({ settings: { template: '{{ total }}' } });
    expect(await at.deliver(receiptEvent())).toMatchObject({ status: 'blocked', reason: expect.stringContaining('There is no "total"') });
    expect(await at.deliver(receiptEvent(), { form: async () => undefined })).toMatchObject({ status: 'skipped' });
  });
});

describe('what becomes of a message', () => {
  test.each(['inOrder', 'reversed', 'shuffled'] as const)('is told by callbacks %s, also repeated and with some lost', async (order) => {
    await using at = await startReceipts({ twilio: { callbacks: { order, times: 2, isLost: ({ status }) => status === 'sent' } } });
    at.twilio.account.fates.set(other, { status: 'undelivered', errorCode: 30003 });
    const events = [receiptEvent(), receiptEvent({ mobile: other })];
    await at.allToTheEnd(events);
    expect(events.map((event) => at.tracking(event)?.status)).toEqual(['queued', 'queued']);
    await at.twilio.settle();
    expect(at.tracking(events[0]!)).toMatchObject({ status: 'delivered', isFinal: true, reference: at.twilio.messages.find(({ to }) => to === respondentNumber)?.sid });
    expect(at.tracking(events[1]!)).toMatchObject({ status: 'undelivered', isFinal: true, detail: 'The recipient’s phone is switched off or out of reach (Twilio’s error 30003).' });
    expect(at.replies.every(({ httpStatus }) => httpStatus === 204)).toBe(true);
  });

  test('is asked for where no callback comes', async () => {
    await using at = await startReceipts({ callsBack: false });
    at.twilio.account.fates.set(other, { status: 'failed', errorCode: 30007 });
    const events = [receiptEvent(), receiptEvent({ mobile: other })];
    await at.allToTheEnd(events);
    await at.twilio.step();
    await sms.follow([...at.tracked], at.context);
    expect(events.map((event) => at.tracking(event)?.status)).toEqual(['sending', 'failed']);
    await at.twilio.settle();
    await sms.follow(events.map((event) => at.tracking(event)!), at.context);
    expect(events.map((event) => at.tracking(event))).toMatchObject([{ status: 'delivered', isFinal: true }, { status: 'failed', detail: expect.stringContaining('filtered') }]);
  });

  test('is not known any more where the message was deleted, and stays open where Twilio is away', async () => {
    await using at = await startReceipts({ callsBack: false });
    const event = receiptEvent();
    await at.deliver(event);
    const [known] = at.tracked;
    {
      using _failing = at.twilio.faults.add({ times: Infinity, outcome: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20503)) } });
      await sms.follow([known!], at.context);
    }
    expect(at.tracked).toHaveLength(1);
    at.twilio.messages.splice(0);
    await sms.follow([known!], at.context);
    expect(at.tracking(event)).toMatchObject({ status: 'gone', isFinal: true });
  });
});

describe('a callback', () => {
  const about = (at: Receipts, members: { familyId?: string; sid?: string } = {}) => {
    const url = `${at.context.callbackUrl}?event=${newId('evt')}&family=${members.familyId ?? newId('resp')}`;
    const form = { MessageSid: members.sid ?? `SM${'a'.repeat(32)}`, MessageStatus: 'delivered', To: respondentNumber };
    const { authToken } = at.twilio.account;
    const signed = (changes: { url?: string; authToken?: string } = {}): CallbackRequest => ({
      method: 'POST', url, body: new URLSearchParams(form).toString(), headers: { 'x-twilio-signature': signCallback({ authToken, url, form, ...changes }) },
    });
    return { url, signed };
  };

  test('is taken from Twilio alone', async () => {
    await using at = await startReceipts();
    const { url, signed } = about(at);
    const forged: CallbackRequest[] = [
      { ...signed(), headers: {} },
      { ...signed(), method: 'GET' },
      { ...signed(), url: url.replace('family=', 'family=x') },
      { ...signed(), body: signed().body.replace('delivered', 'failed') },
      { ...signed(), headers: { 'x-twilio-signature': ['a', 'b'] } },
      signed({ authToken: 'another' }),
    ];
    for (const request of forged) expect(await sms.callback(request, at.context)).toEqual({ httpStatus: 403 });
    expect(at.tracked).toEqual([]);
    expect(await sms.callback(signed(), at.context)).toMatchObject({ httpStatus: 204 });
  });

  test.each([
    ['nothing of ours', { familyId: 'resp_unheard' }],
    ['what no message is called', { sid: `SM${'a'.repeat(300)}` }],
    ['what cannot be stored', { sid: 'SM\0' }],
  ])('that is about %s is refused, though it is signed', async (_, members) => {
    await using at = await startReceipts();
    const { signed } = about(at, members);
    expect(await sms.callback(signed(), at.context)).toEqual({ httpStatus: 400 });
    expect(at.tracked).toEqual([]);
  });

  test('finds nobody where messages are simulated', async () => {
    await using at = await startReceipts({ settings: { simulated: true } });
    expect(await sms.callback(about(at).signed(), at.context)).toEqual({ httpStatus: 404 });
  });
});

test('simulated, a message goes to the log with its number, once, and its delivery says so', async () => {
  await using at = await startReceipts({ settings: { simulated: true, accountSid: undefined, authToken: undefined, from: undefined } });
  const event = receiptEvent();
  for (let count = 0; count < 2; count += 1) expect(await at.deliver(event)).toEqual({ status: 'delivered' });
  expect(at.logged).toEqual([
    { event: 'sms.simulated', to: respondentNumber, text: expect.stringMatching(/^Thank you for resp_/), eventId: event.id, encoding: 'GSM-7', characters: expect.any(Number), segments: 1 },
  ]);
  expect(at.tracking(event)).toMatchObject({ status: 'simulated', isFinal: true });
  await sms.follow(at.tracked, at.context);
  expect(at.twilio.requests).toEqual([]);
});

test('nothing but simulated messages is written to the log', async () => {
  await using at = await startReceipts();
  await at.deliver(receiptEvent());
  expect(at.logged).toEqual([]);
});

test('without a simulator, messages go to where Twilio is, whatever the environment says', async () => {
  await using at = await startReceipts({ callsBack: false });
  const asked: HttpExchange[] = [];
  const http: HttpClient = {
    ...at.context.http,
    exchange: async (request) => {
      asked.push(request);
      return { kind: 'failure', error: 'CONNECTION', message: 'The name does not exist.', isSent: false };
    },
  };
  vi.stubEnv('TWILIO_EDGE', 'sydney');
  vi.stubEnv('TWILIO_REGION', 'au1');
  expect(await at.deliver(receiptEvent(), { http, serviceUrl: () => undefined })).toMatchObject({ status: 'retry', error: 'CONNECTION' });
  vi.unstubAllEnvs();
  expect(asked).toMatchObject([{ method: 'POST', url: `https://api.twilio.com/2010-04-01/Accounts/${at.twilio.account.sid}/Messages.json` }]);
  expect(Object.fromEntries(new URLSearchParams(Buffer.from(asked[0]!.body).toString()))).toEqual({
    To: respondentNumber, From: '+15005550006', Body: expect.stringMatching(/^Thank you for/), SmartEncoded: 'false',
  });
});
