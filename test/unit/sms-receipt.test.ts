import { describe, expect, test } from 'vitest';
import { isLike, type ListedMessage } from '../../integrations/sms/find-message.ts';
import { fingerprint } from '../../integrations/sms/ledger-keys.ts';
import { afterNotFound, nextStep, parseReceipt, type Receipt, type Sending } from '../../integrations/sms/receipt.ts';

const at = new Date('2026-11-28T10:00:00.000Z');
const later = (ms: number): Date => new Date(at.getTime() + ms);
const hour = 3_600_000;
const sending: Sending = { status: 'sending', eventId: 'evt_1', copy: 1, at: at.toISOString(), to: fingerprint('+491701234567'), text: fingerprint('Thank you') };
const accepted: Receipt = { status: 'accepted', eventId: 'evt_1', sid: 'SM1' };
const refused: Receipt = { status: 'refused', eventId: 'evt_1', copy: 2, code: 21_211 };
const step = (known: Receipt | undefined, eventId: string, ms = 0, isSimulated = false) => nextStep(known, { eventId, now: later(ms), isSimulated });

describe('of a receipt', () => {
  test('that nothing is known of, the first copy is sent', () => {
    expect(step(undefined, 'evt_1')).toEqual({ kind: 'send', copy: 1 });
  });

  test('that was refused, the same copy is sent, for whatever event', () => {
    expect(step(refused, 'evt_1')).toEqual({ kind: 'send', copy: 2 });
    expect(step(refused, 'evt_2')).toEqual({ kind: 'send', copy: 2 });
  });

  test('that Twilio has, its event is done and any other is skipped', () => {
    expect(step(accepted, 'evt_1')).toEqual({ kind: 'done' });
    expect(step(accepted, 'evt_2')).toEqual({ kind: 'skip', reason: 'A receipt of this response was sent already.' });
  });

  test('that was being sent, its own event finds out what became of it', () => {
    expect(step(sending, 'evt_1')).toEqual({ kind: 'settle', sending });
    expect(step(sending, 'evt_1', 100 * hour)).toEqual({ kind: 'settle', sending });
  });

  test('that was being sent, another event waits, longer each time, and gives way after two days', () => {
    expect(step(sending, 'evt_2')).toEqual({ kind: 'wait', afterMs: 60_000 });
    expect(step(sending, 'evt_2', 200_000)).toEqual({ kind: 'wait', afterMs: 200_000 });
    expect(step(sending, 'evt_2', 48 * hour - 1)).toEqual({ kind: 'wait', afterMs: hour });
    expect(step(sending, 'evt_2', 48 * hour)).toEqual({ kind: 'skip', reason: 'A receipt of this response may have been sent already.' });
  });

  test('that was given up, its own event looks for it again, and any other is skipped', () => {
    const unknown: Sending = { ...sending, status: 'unknown' };
    expect(step(unknown, 'evt_1')).toEqual({ kind: 'settle', sending: unknown });
    expect(step(unknown, 'evt_2')).toEqual({ kind: 'skip', reason: 'A receipt of this response may have been sent already.' });
  });

  test('that is only simulated, nothing is lost by writing it again', () => {
    expect(step(sending, 'evt_1', 0, true)).toEqual({ kind: 'send', copy: 1 });
    expect(step(accepted, 'evt_1', 0, true)).toEqual({ kind: 'done' });
  });

  test('each state is known again when read', () => {
    for (const state of [sending, accepted, refused]) expect(parseReceipt(JSON.parse(JSON.stringify(state)))).toEqual(state);
    expect(() => parseReceipt({ status: 'lost' })).toThrow();
  });
});

describe('a message that Twilio does not show', () => {
  test.each(['atMostOnce', 'atLeastOnce'] as const)('is waited for until it would surely be seen: %s', (unknownOutcome) => {
    expect(afterNotFound(sending, { now: later(20_000), unknownOutcome })).toEqual({ kind: 'wait', afterMs: 100_000 });
    expect(afterNotFound(sending, { now: later(119_999), unknownOutcome })).toEqual({ kind: 'wait', afterMs: 1 });
  });

  test('is then given up, or sent as another copy, as was chosen', () => {
    expect(afterNotFound(sending, { now: later(120_000), unknownOutcome: 'atMostOnce' })).toEqual({ kind: 'giveUp' });
    expect(afterNotFound(sending, { now: later(120_000), unknownOutcome: 'atLeastOnce' })).toEqual({ kind: 'send', copy: 2 });
  });
});

describe('a message of the list', () => {
  const message: ListedMessage = { sid: 'SM1', status: 'sent', to: '+491701234567', from: '+15005550006', messagingServiceSid: null, body: 'Thank you', dateCreated: later(1_000) };
  const byNumber = { from: '+15005550006' };
  const byService = { messagingServiceSid: 'MG1' };

  test.each<[what: string, changes: Partial<ListedMessage>, sender: object, isLike: boolean]>([
    ['with the same text, sender and time', {}, byNumber, true],
    ['with the mark of a trial account', { body: 'Sent from your Twilio trial account - Thank you' }, byNumber, true],
    ['from the service, whatever its number', { messagingServiceSid: 'MG1', from: '+1' }, byService, true],
    ['with another text', { body: 'Thank you!' }, byNumber, false],
    ['from another number', { from: '+15005550007' }, byNumber, false],
    ['from another service', { messagingServiceSid: 'MG2' }, byService, false],
    ['made by a clock that is half a minute behind', { dateCreated: later(-30_000) }, byNumber, true],
    ['made before', { dateCreated: later(-30_001) }, byNumber, false],
    ['made when the call was over', { dateCreated: later(40_001) }, byNumber, false],
  ])('%s', (_, changes, sender, expected) => {
    expect(isLike({ ...message, ...changes }, sending, sender)).toBe(expected);
  });
});
