import { expect, test } from 'vitest';
import { countSegments } from '../../integrations/sms/segments.ts';

test.each([
  ['nothing', '', 'GSM-7', 0, 1],
  ['160 letters', 'a'.repeat(160), 'GSM-7', 160, 1],
  ['one more: each part carries a header', 'a'.repeat(161), 'GSM-7', 161, 2],
  ['two full parts', 'a'.repeat(306), 'GSM-7', 306, 2],
  ['one more', 'a'.repeat(307), 'GSM-7', 307, 3],
  ['accents that GSM-7 has', 'é'.repeat(160), 'GSM-7', 160, 1],
  ['an accent that it has not', `${'a'.repeat(69)}ê`, 'UCS-2', 70, 1],
  ['one letter more beside it', `${'a'.repeat(70)}ê`, 'UCS-2', 71, 2],
  ['signs of the extension, which count two', '€'.repeat(80), 'GSM-7', 160, 1],
  ['one letter more', `${'€'.repeat(80)}a`, 'GSM-7', 161, 2],
  ['such a sign that would be cut, and moves', `${'a'.repeat(152)}€${'a'.repeat(152)}`, 'GSM-7', 306, 3],
  ['Devanagari', 'न'.repeat(70), 'UCS-2', 70, 1],
  ['two full parts of it', 'न'.repeat(134), 'UCS-2', 134, 2],
  ['one more of it', 'न'.repeat(135), 'UCS-2', 135, 3],
  ['emoji, which count two', '😀'.repeat(35), 'UCS-2', 70, 1],
  ['one that would be cut, and moves', `${'न'.repeat(66)}😀${'न'.repeat(66)}`, 'UCS-2', 134, 3],
])('%s', (_, text, encoding, characters, segments) => {
  expect(countSegments(text)).toEqual({ encoding, characters, segments });
});
