import { describe, expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { createRandom } from '../support/simulators/faults.ts';
import type { Outcome as Fault } from '../support/simulators/faults.ts';
import type { LoggedRequest } from '../support/simulators/server.ts';
import { connectTwilio } from '../support/twilio/client.ts';
import { replyOfTwilio, TwilioError } from '../support/twilio/errors.ts';
import { Death, dyingHttp, receiptEvent, respondentNumber, sender, startReceipts, type Receipts } from '../support/receipts.ts';

const isCreate = ({ operation }: LoggedRequest): boolean => operation === 'messages.create';
const failNext = ({ twilio }: Receipts, outcome: Fault): void => void twilio.faults.add({ when: isCreate, outcome });
const createCount = ({ twilio }: Receipts): number => twilio.requests.filter(isCreate).length;
const both = ['atMostOnce', 'atLeastOnce'] as const;

const accepted: [what: string, outcome: Fault][] = [
  ['a dropped connection', { kind: 'drop', applied: true }],
  ['a 500', { kind: 'reply', reply: replyOfTwilio(new TwilioError(20500)), applied: true }],
  ['an answer that breaks off', { kind: 'truncated' }],
  ['an answer that is no JSON', { kind: 'malformed' }],
];
const notAccepted: [what: string, outcome: Fault][] = [
  ['a dropped connection', { kind: 'drop', applied: false }],
  ['a 503', { kind: 'reply', reply: replyOfTwilio(new TwilioError(20503)) }],
];

describe('a receipt', () => {
  test('goes out once, however often its event comes', async () => {
    await using at = await startReceipts();
    const event = receiptEvent();
    for (let count = 0; count < 3; count += 1) expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toMatchObject([{ to: respondentNumber, body: expect.stringMatching(/^Thank you for resp_/) }]);
  });

  test('goes out once for a response, whatever becomes of it later', async () => {
    await using at = await startReceipts();
    const familyId = newId('resp');
    expect(await at.deliver(receiptEvent({ familyId }))).toEqual({ status: 'delivered' });
    for (const type of ['response.amended', 'response.flagged', 'response.cleared'] as const) {
      expect(await at.deliver(receiptEvent({ familyId, type }))).toEqual({ status: 'skipped', reason: 'A receipt of this response was sent already.' });
    }
    expect(at.twilio.messages).toHaveLength(1);
  });

  test('goes out once where two events of a response come at the same time, and one event twice', async () => {
    await using at = await startReceipts();
    const familyId = newId('resp');
    const event = receiptEvent({ familyId });
    const events = [event, event, receiptEvent({ familyId, type: 'response.cleared' })];
    const outcomes = await at.allToTheEnd(events);
    expect(outcomes.map(({ status }) => status)).toContain('delivered');
    expect(at.twilio.messages).toHaveLength(1);
  });

  test('of a flagged response waits until it is cleared, where flagged ones get none', async () => {
    await using at = await startReceipts();
    const familyId = newId('resp');
    expect(await at.deliver(receiptEvent({ familyId, flags: 1 }))).toEqual({ status: 'skipped', reason: expect.stringContaining('flagged') });
    expect(await at.deliver(receiptEvent({ familyId, flags: 1, type: 'response.flagged' }))).toHaveProperty('status', 'skipped');
    expect(at.twilio.requests).toEqual([]);
    expect(await at.deliver(receiptEvent({ familyId, type: 'response.cleared' }))).toEqual({ status: 'delivered' });
  });

  test('of a flagged response goes out at once where that was chosen', async () => {
    await using at = await startReceipts({ settings: { flagged: true } });
    expect(await at.deliver(receiptEvent({ flags: 1 }))).toEqual({ status: 'delivered' });
  });
});

describe.each(both)('whose outcome is unknown, %s: a receipt that Twilio took', (unknownOutcome) => {
  test.each(accepted)('is found in the list after %s', async (_, outcome) => {
    await using at = await startReceipts({ settings: { unknownOutcome }, callsBack: false });
    const event = receiptEvent();
    failNext(at, outcome);
    expect(await at.deliver(event)).toMatchObject({ status: 'retry', reason: expect.stringContaining('Nobody knows yet') });
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(createCount(at)).toBe(1);
    expect(at.tracking(event)).toMatchObject({ reference: at.twilio.messages[0]?.sid, status: 'queued' });
  });

  test('is known by its callback, and the list is not asked', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome } });
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: true });
    expect(await at.deliver(event)).toHaveProperty('status', 'retry');
    await at.twilio.step();
    expect(at.replies).toEqual([{ httpStatus: 204, wake: [event.id] }]);
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.requests.map(({ operation }) => operation)).toEqual(['messages.create']);
  });

  test('is found when the list shows it at last', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome }, twilio: { listDelayMs: 90_000 }, callsBack: false });
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: true });
    await at.deliver(event);
    expect(await at.deliver(event)).toMatchObject({ status: 'deferred', reason: expect.stringContaining('list does not show it') });
    expect(await at.deliverToTheEnd(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toHaveLength(1);
  });

  test('is found by the next process where one died before it noted it', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome }, callsBack: false });
    const event = receiptEvent();
    await expect(at.deliver(event, { http: dyingHttp(at.context.http, 'after') })).rejects.toThrow(Death);
    expect(await at.deliverToTheEnd(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toHaveLength(1);
  });

  test('is found behind a page of newer messages to its number', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome }, callsBack: false });
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: true });
    await at.deliver(event);
    const others = connectTwilio(at.twilio);
    for (let count = 0; count < 120; count += 1) await others.messages.create({ to: respondentNumber, from: sender, body: `Code ${count}` });
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.requests.filter(({ operation }) => operation === 'messages.list')).toHaveLength(2);
  });

  test('is found among the messages of a service, and behind the mark of a trial account', async () => {
    const messagingServiceSid = `MG${'0'.repeat(32)}`;
    await using at = await startReceipts({ settings: { unknownOutcome, from: undefined, messagingServiceSid }, callsBack: false });
    at.twilio.account.verifiedByTrial = new Set([respondentNumber]);
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: true });
    await at.deliver(event);
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toMatchObject([{ messagingServiceSid }]);
  });

  test('waits as long as Twilio cannot be asked, and what it says of that is no rejection', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome }, callsBack: false });
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: true });
    await at.deliver(event);
    at.clock.advance(3_600_000);
    {
      using _failing = at.twilio.faults.add({ times: Infinity, outcome: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20503)) } });
      expect(await at.deliver(event)).toMatchObject({ status: 'deferred', reason: expect.stringContaining('asked again') });
    }
    {
      using _throttling = at.twilio.faults.add({ times: Infinity, outcome: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20429), { 'retry-after': '9' }) } });
      expect(await at.deliver(event)).toMatchObject({ status: 'throttled', afterMs: 9_000 });
    }
    {
      using _strange = at.twilio.faults.add({ times: Infinity, outcome: { kind: 'reply', reply: replyOfTwilio(new TwilioError(20003)) } });
      expect(await at.deliver(event)).toHaveProperty('status', 'blocked');
    }
    expect(await at.deliverToTheEnd(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toHaveLength(1);
  });
});

describe('whose outcome is unknown: a receipt that Twilio did not take', () => {
  const outcomeAfter = async (at: Receipts, event = receiptEvent()) => ({ event, outcome: await at.deliverToTheEnd(event) });
  const died = async (at: Receipts) => {
    const event = receiptEvent();
    await expect(at.deliver(event, { http: dyingHttp(at.context.http, 'before') })).rejects.toThrow(Death);
    return event;
  };

  test.each(notAccepted)('is given up after %s where at most one was chosen, for all events of its response', async (_, fault) => {
    await using at = await startReceipts();
    const familyId = newId('resp');
    failNext(at, fault);
    const { outcome } = await outcomeAfter(at, receiptEvent({ familyId }));
    expect(outcome).toMatchObject({ status: 'rejected', error: 'OUTCOME_UNKNOWN', reason: expect.stringContaining('not sent again') });
    expect(await at.deliver(receiptEvent({ familyId, type: 'response.cleared' }))).toMatchObject({ status: 'skipped', reason: expect.stringContaining('may have been sent') });
    expect(at.twilio.messages).toEqual([]);
  });

  test.each(notAccepted)('is sent again after %s where at least one was chosen', async (_, fault) => {
    await using at = await startReceipts({ settings: { unknownOutcome: 'atLeastOnce' } });
    failNext(at, fault);
    const { event, outcome } = await outcomeAfter(at);
    expect(outcome).toEqual({ status: 'delivered' });
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect([at.twilio.messages.length, createCount(at)]).toEqual([1, 2]);
  });

  test('is given up or sent again where a process died before its call, as was chosen', async () => {
    await using careful = await startReceipts();
    expect(await outcomeAfter(careful, await died(careful))).toMatchObject({ outcome: { error: 'OUTCOME_UNKNOWN' } });
    await using insistent = await startReceipts({ settings: { unknownOutcome: 'atLeastOnce' } });
    expect(await outcomeAfter(insistent, await died(insistent))).toMatchObject({ outcome: { status: 'delivered' } });
    expect([careful.twilio.messages.length, insistent.twilio.messages.length]).toEqual([0, 1]);
  });

  test('and was given up is looked for again when redelivered, and sent where its owner has changed the choice', async () => {
    await using at = await startReceipts();
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: false });
    for (let count = 0; count < 2; count += 1) expect(await at.deliverToTheEnd(event)).toHaveProperty('status', 'rejected');
    expect(await at.deliver(event, { settings: { ...at.context.settings, unknownOutcome: 'atLeastOnce' } })).toEqual({ status: 'delivered' });
    expect(at.twilio.messages).toHaveLength(1);
  });

  test('is not looked for at another number, where the settings name another one since', async () => {
    await using at = await startReceipts();
    const event = receiptEvent();
    failNext(at, { kind: 'drop', applied: false });
    await at.deliver(event);
    const settings = { ...at.context.settings, recipientQuestion: 'other' };
    expect(await at.deliver(event, { settings })).toHaveProperty('status', 'deferred');
    at.clock.advance(3_600_000);
    expect(await at.deliver(event, { settings })).toMatchObject({ status: 'rejected', error: 'OUTCOME_UNKNOWN' });
    expect(at.twilio.requests).toHaveLength(1);
  });

  test('goes out on its own attempt, not on another event’s', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome: 'atLeastOnce' } });
    const familyId = newId('resp');
    const event = receiptEvent({ familyId });
    failNext(at, { kind: 'drop', applied: false });
    await at.deliver(event);
    at.clock.advance(3_600_000);
    expect(await at.deliver(receiptEvent({ familyId, type: 'response.cleared' }))).toMatchObject({ status: 'deferred', reason: expect.stringContaining('another event') });
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
  });

  test('was not even sent where nobody listened: it simply goes out later', async () => {
    await using at = await startReceipts();
    const event = receiptEvent();
    {
      await using _outage = await at.twilio.outage();
      expect(await at.deliver(event)).toMatchObject({ status: 'retry', error: 'CONNECTION' });
    }
    expect(await at.deliver(event)).toEqual({ status: 'delivered' });
    expect(at.twilio.requests.map(({ operation }) => operation)).toEqual(['messages.create']);
  });

  test('that was chosen to be sent again is two where the list is too late: that is the risk', async () => {
    await using at = await startReceipts({ settings: { unknownOutcome: 'atLeastOnce' }, twilio: { listDelayMs: 600_000 }, callsBack: false });
    failNext(at, { kind: 'drop', applied: true });
    await at.deliverToTheEnd(receiptEvent());
    expect(at.twilio.messages).toHaveLength(2);
  });
});

describe('two receipts with the same text to the same number', () => {
  const settings = { template: 'Thank you' };

  test('do not take one message for both: the other one is given up', async () => {
    await using at = await startReceipts({ settings, callsBack: false });
    const [one, other] = [receiptEvent(), receiptEvent()];
    failNext(at, { kind: 'drop', applied: true });
    failNext(at, { kind: 'drop', applied: false });
    for (const event of [one, other]) await at.deliver(event);
    const outcomes = await at.allToTheEnd([one, other]);
    expect(outcomes.map(({ status }) => status).toSorted((left, right) => left.localeCompare(right))).toEqual(['delivered', 'rejected']);
  });

  test('do not take each other’s message where one of them was answered', async () => {
    await using at = await startReceipts({ settings, callsBack: false });
    const [unknown, answered] = [receiptEvent(), receiptEvent()];
    failNext(at, { kind: 'drop', applied: false });
    await at.deliver(unknown);
    expect(await at.deliver(answered)).toEqual({ status: 'delivered' });
    expect(await at.deliverToTheEnd(unknown)).toMatchObject({ status: 'rejected', error: 'OUTCOME_UNKNOWN' });
  });
});

test('a callback that is quicker than the answer says the same', async () => {
  await using at = await startReceipts();
  at.twilio.faults.add({ when: isCreate, answerDelayMs: 200 });
  await using _running = at.twilio.run(5);
  const event = receiptEvent();
  expect(await at.deliver(event)).toEqual({ status: 'delivered' });
  await expect.poll(() => at.tracking(event)?.status).toBe('delivered');
  expect(at.replies.every(({ httpStatus }) => httpStatus === 204)).toBe(true);
});

test('many at once, with a fault for every third, are each sent once or given up', async () => {
  await using at = await startReceipts({ settings: { template: 'Thank you', perNumberAndDay: 50 }, callsBack: false });
  const random = createRandom(11);
  const faults = [...accepted, ...notAccepted].map(([, outcome]) => outcome);
  for (const outcome of faults) at.twilio.faults.add({ when: (request) => isCreate(request) && random() < 0.3, times: 3, outcome });
  const events = Array.from({ length: 40 }, () => receiptEvent());
  const outcomes = await at.allToTheEnd(events);
  const delivered = outcomes.filter(({ status }) => status === 'delivered').length;
  expect(outcomes.every((outcome) => outcome.status === 'delivered' || (outcome.status === 'rejected' && outcome.error === 'OUTCOME_UNKNOWN'))).toBe(true);
  expect(delivered).toBe(at.twilio.messages.length);
  expect(createCount(at)).toBe(events.length);
});
