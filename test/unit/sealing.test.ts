import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { createSealer, isSealed } from '../../src/sealing.ts';

const key = (): Buffer => randomBytes(32);
const text = 'AC3 "geheim" 🙂';

test('a sealed text opens to what it was, and shows nothing of it', () => {
  const sealer = createSealer([key()]);
  const sealed = sealer.seal(text, 'intg_1');
  expect(sealed).not.toContain('geheim');
  expect(isSealed(sealed)).toBe(true);
  expect(sealer.open(sealed, 'intg_1')).toBe(text);
});

test('the same text is sealed differently every time', () => {
  const sealer = createSealer([key()]);
  expect(sealer.seal(text, 'intg_1')).not.toBe(sealer.seal(text, 'intg_1'));
});

test('a sealed text opens only where it belongs', () => {
  const sealer = createSealer([key()]);
  const sealed = sealer.seal(text, 'intg_1');
  expect(() => sealer.open(sealed, 'intg_2')).toThrow();
});

test('a sealed text that was changed does not open', () => {
  const sealer = createSealer([key()]);
  const sealed = sealer.seal(text, 'intg_1');
  const last = sealed.at(-2) === 'A' ? 'B' : 'A';
  expect(() => sealer.open(sealed.slice(0, -2) + last + sealed.slice(-1), 'intg_1')).toThrow();
});

test('after a rotation the old key still opens, and tells that it is not the present one', () => {
  const [before, after] = [key(), key()];
  const sealed = createSealer([before]).seal(text, 'intg_1');
  const rotated = createSealer([after, before]);
  expect(rotated.open(sealed, 'intg_1')).toBe(text);
  expect(rotated.isCurrent(sealed)).toBe(false);
  expect(rotated.isCurrent(rotated.seal(text, 'intg_1'))).toBe(true);
});

test('without its key a sealed text does not open, and the error says so without it', () => {
  const sealed = createSealer([key()]).seal(text, 'intg_1');
  expect(() => createSealer([key()]).open(sealed, 'intg_1')).toThrow(/key that is not configured/);
});

test('what is not sealed is not opened', () => {
  expect(() => createSealer([key()]).open(text, 'intg_1')).toThrow();
});

test('a key of another length is refused', () => {
  expect(() => createSealer([randomBytes(16)])).toThrow(RangeError);
});
