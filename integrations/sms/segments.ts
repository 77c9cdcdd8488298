/** How a text goes out: in how many segments, each of which is paid for, and why. */
export interface Segments {
  encoding: 'GSM-7' | 'UCS-2';
  /** As the encoding counts them: those of GSM-7's extension are two, and so are those beyond the Basic Multilingual Plane. */
  characters: number;
  segments: number;
}

const basic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const extension = new Set('\f^{}\\[~]|€');

/** Of one message that fits, and of each part of a longer one, which carries a header that joins them. */
const sizes = { 'GSM-7': { single: 160, part: 153 }, 'UCS-2': { single: 70, part: 67 } } as const;

/**
 * Counts what a text costs. One character outside of GSM-7 makes all of it UCS-2. A character that takes two places is
 * not cut in half: it moves to the next segment with both.
 *
 *     160 × a → GSM-7, 1      161 × a → GSM-7, 2      80 × € → GSM-7, 160 characters, 1      70 × ж → UCS-2, 1
 *
 * Source: 3GPP TS 23.038, 6.2.1; Twilio "SMS character limit".
 */
export function countSegments(text: string): Segments {
  const letters = Array.from(text);
  const encoding = letters.every((letter) => basic.has(letter) || extension.has(letter)) ? 'GSM-7' : 'UCS-2';
  const widths = letters.map((letter) => (encoding === 'GSM-7' ? (extension.has(letter) ? 2 : 1) : letter.length));
  const characters = widths.reduce((sum, width) => sum + width, 0);
  const { single, part } = sizes[encoding];
  return { encoding, characters, segments: characters <= single ? 1 : partsOf(widths, part) };
}

function partsOf(widths: readonly number[], size: number): number {
  let parts = 1;
  let used = 0;
  for (const width of widths) {
    if (used + width > size) {
      parts += 1;
      used = 0;
    }
    used += width;
  }
  return parts;
}
