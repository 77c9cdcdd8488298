import { describe, expect, test } from 'vitest';
import { answerId, eventIdOf, flagsEventIdOf, isId, newId, parseAnswerId, prefixOf, timeOf } from '../../src/events/id.ts';

describe('an id', () => {
  test('says what it names', () => {
    expect(prefixOf(newId('form'))).toBe('form');
    expect(prefixOf('stranger_01h455vb4pex5vsknk084sn02q')).toBeUndefined();
  });

  test('sorts by the time it was made, also within a millisecond', () => {
    const ids = Array.from({ length: 20_000 }, () => newId('evt'));
    expect(ids).toEqual(ids.toSorted());
    expect(new Set(ids).size).toBe(ids.length);
  });

  test('is a prefix and 26 digits of which the first is at most 7', () => {
    expect(isId('form', newId('form'))).toBe(true);
    expect(isId('form', newId('resp'))).toBe(false);
    expect(isId('form', 'form_81h455vb4pex5vsknk084sn02q')).toBe(false);
    expect(isId('form', 'form_01h455vb4pex5vsknk084sn02')).toBe(false);
    expect(isId('form', 'form_01H455VB4PEX5VSKNK084SN02Q')).toBe(false);
    expect(isId('form', 'form_01h455vb4pex5vsknk084sn0u\0')).toBe(false);
  });

  test('tells when it was made', () => {
    expect(timeOf('evt_01h455vb4pex5vsknk084sn02q')).toBe(0x01890a5dac96);
    const before = Date.now();
    expect(timeOf(newId('evt'))).toBeGreaterThanOrEqual(before);
  });

  test('of an answer names its response and its question', () => {
    const [responseId, questionId] = [newId('resp'), newId('q')];
    expect(parseAnswerId(answerId(responseId, questionId))).toEqual({ responseId, questionId });
    expect(parseAnswerId('ans_nothing')).toBeUndefined();
  });

  test('carries its time as UUIDv7 does: 48 bits of milliseconds in front', () => {
    const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
    const digits = Array.from(newId('evt').slice(4)).map((digit) => BigInt(alphabet.indexOf(digit)));
    const value = digits.reduce((sum, digit) => sum * 32n + digit, 0n);
    expect(Math.abs(Number(value >> 80n) - Date.now())).toBeLessThan(60_000);
    expect((value >> 76n) & 0xfn).toBe(7n);
    expect((value >> 62n) & 0x3n).toBe(2n);
  });
});

test('the event of a revision’s flags has an id of its own that the revision’s says, whenever it was made', () => {
  const ids = Array.from({ length: 5_000 }, () => newId('resp'));
  const events = ids.map(flagsEventIdOf);
  expect(events.every((id) => isId('evt', id))).toBe(true);
  expect(new Set([...events, ...ids.map(eventIdOf)]).size).toBe(10_000);
  expect(flagsEventIdOf('resp_01h455vb4pex5vsknk084sn02q')).toBe('evt_01h455vb4pgx5vsknk084sn02q');
  expect(flagsEventIdOf('resp_01h455vb4pfx5vsknk084sn02q')).toBe('evt_01h455vb4phx5vsknk084sn02q');
});
