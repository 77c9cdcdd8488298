const basic =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const extended = '\f^{}\\[~]|€';

/**
 * How many segments a text is sent in: 160 or 153 characters of GSM-7 each, where those of its extension count twice,
 * or 70 or 67 of UCS-2 as soon as one character is not in GSM-7. Source: 3GPP TS 23.038, Twilio "SMS character limit".
 */
export function countSegments(text: string): number {
  const characters = Array.from(text);
  const isGsm = characters.every((character) => basic.includes(character) || extended.includes(character));
  const length = isGsm ? characters.length + characters.filter((character) => extended.includes(character)).length : text.length;
  const [single, many] = isGsm ? [160, 153] : [70, 67];
  return length <= single ? 1 : Math.ceil(length / many);
}
