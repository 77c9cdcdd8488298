import { describe, expect, test } from 'vitest';
import { oldSecretsEndAt, rotated, secretsAt, type SigningSecrets } from '../../src/integrations/signing-secrets.ts';

const hour = 3_600_000;
const began = new Date('2026-11-28T03:00:00.000Z');
const after = (hours: number): Date => new Date(began.getTime() + hours * hour);
const atFirst: SigningSecrets = { secrets: ['a'], secretEnds: [] };
const rotate = (kept: SigningSecrets, secret: string, { keep, at }: { keep: number; at: Date }) => rotated(kept, { secret, keepOldForMs: keep * hour, at });
const once = rotate(atFirst, 'b', { keep: 24, at: began });

describe('which secrets sign', () => {
  test('the only one does, always', () => {
    expect(secretsAt(atFirst, after(100_000))).toEqual(['a']);
    expect(oldSecretsEndAt(atFirst, began)).toBeNull();
  });

  test('a rotated secret still signs until it expires, after the new one', () => {
    expect(secretsAt(once, began)).toEqual(['b', 'a']);
    expect(secretsAt(once, new Date(after(24).getTime() - 1))).toEqual(['b', 'a']);
    expect(secretsAt(once, after(24))).toEqual(['b']);
  });

  test('it is told until when, as long as that is to come', () => {
    expect(oldSecretsEndAt(once, after(23))).toEqual(after(24));
    expect(oldSecretsEndAt(once, after(24))).toBeNull();
  });

  test('one that is kept for no time never signs again', () => {
    expect(rotate(atFirst, 'b', { keep: 0, at: began })).toEqual({ secrets: ['b'], secretEnds: [] });
  });

  test('rotated again within the time, each keeps to its own end', () => {
    const twice = rotate(once, 'c', { keep: 24, at: after(10) });
    expect(secretsAt(twice, after(10))).toEqual(['c', 'b', 'a']);
    expect(secretsAt(twice, after(24))).toEqual(['c', 'b']);
    expect(secretsAt(twice, after(34))).toEqual(['c']);
    expect(oldSecretsEndAt(twice, after(10))).toEqual(after(34));
  });

  test('a shorter time holds for all that are old: after it the new one signs alone', () => {
    const twice = rotate(once, 'c', { keep: 1, at: after(10) });
    expect(twice.secretEnds.map((end) => new Date(end))).toEqual([after(11), after(11)]);
    expect(rotate(once, 'c', { keep: 0, at: after(10) }).secrets).toEqual(['c']);
  });

  test('what has ended is not kept', () => {
    expect(rotate(once, 'c', { keep: 24, at: after(30) })).toEqual({ secrets: ['c', 'b'], secretEnds: [after(54).toISOString()] });
  });

  test('several from before ends were kept all sign, until the first rotation gives them one', () => {
    const former: SigningSecrets = { secrets: ['b', 'a'], secretEnds: [] };
    expect(secretsAt(former, after(100_000))).toEqual(['b', 'a']);
    expect(secretsAt(rotate(former, 'c', { keep: 24, at: began }), after(24))).toEqual(['c']);
  });

  test('without a secret so far the new one is the only one', () => {
    expect(rotate({ secrets: [], secretEnds: [] }, 'a', { keep: 24, at: began })).toEqual(atFirst);
  });
});
