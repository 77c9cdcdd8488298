import { randomFillSync } from 'node:crypto';

/** Prefixes of every kind of thing that has an id; the prefix alone tells what an id names. */
export const idPrefixes = [
  'org', 'usr', 'mem', 'inv', 'ses', 'key', 'form', 'ver', 'sec', 'q', 'ch', 'resp', 'ans', 'rvw', 'intg', 'evt', 'dlv', 'dsp', 'job', 'clm', 'rpl', 'req', 'prc',
] as const;
export type IdPrefix = (typeof idPrefixes)[number];
/** For example `form_01h455vb4pex5vsknk084sn02q`. */
export type Id<P extends IdPrefix = IdPrefix> = `${P}_${string}`;

const alphabet = '0123456789abcdefghjkmnpqrstvwxyz';
const suffixPattern = /^[0-7][0-9a-hjkmnp-tv-z]{25}$/;

/**
 * Makes a new id: a prefix and a UUIDv7 in 26 characters of Crockford's base 32, which sort by the time they were
 * made, also within one millisecond of one process.
 * Source: TypeID specification 0.3; RFC 9562, 5.7 and 6.2 (method 1, a counter in `rand_a`).
 */
export function newId<P extends IdPrefix>(prefix: P): Id<P> {
  return `${prefix}_${encode(uuidV7())}`;
}

/** Whether `value` is an id of this kind, by its form alone. */
export function isId<P extends IdPrefix>(prefix: P, value: string): value is Id<P> {
  return (
    value.length === prefix.length + 27 &&
    value.startsWith(prefix) &&
    value.charCodeAt(prefix.length) === 95 &&
    suffixPattern.test(value.slice(prefix.length + 1))
  );
}

/** The kind of thing an id names, or undefined where it is no id of ours. */
export function prefixOf(value: string): IdPrefix | undefined {
  const cut = value.indexOf('_');
  return idPrefixes.find((prefix) => prefix === value.slice(0, cut));
}

/** The part after the prefix. */
export const suffixOf = (id: Id): string => id.slice(id.indexOf('_') + 1);

/** When an id was made, in milliseconds since 1970, by the clock of the process that made it. */
export function timeOf(id: Id): number {
  const suffix = suffixOf(id);
  let time = 0; // ten digits are 50 bits: two zeros and the 48 of the time
  for (let index = 0; index < 10; index += 1) time = time * 32 + alphabet.indexOf(suffix.charAt(index));
  return time;
}

/** The event that tells of a new revision has the id of the revision: it can be named again when no row does. */
export const eventIdOf = (responseId: Id<'resp'>): Id<'evt'> => `evt_${suffixOf(responseId)}`;

/** The lowest id that is made at a time (milliseconds since 1970): ids made before it are lower, and all others higher. */
export function firstIdAt<P extends IdPrefix>(prefix: P, atMs: number): Id<P> {
  const bytes = new Uint8Array(16);
  Buffer.from(bytes.buffer).writeUIntBE(Math.max(0, Math.floor(atMs)), 0, 6);
  return `${prefix}_${encode(bytes)}`;
}

/**
 * The event that a revision's flags are other ones than before has its id too, as a UUIDv8 in place of the v7: the digit
 * that holds the version, and one bit of the counter below it, is two higher.
 */
export function flagsEventIdOf(responseId: Id<'resp'>): Id<'evt'> {
  const suffix = suffixOf(responseId);
  return `evt_${suffix.slice(0, versionDigit)}${alphabet.charAt(alphabet.indexOf(suffix.charAt(versionDigit)) + 2)}${suffix.slice(versionDigit + 1)}`;
}
const versionDigit = 10;

/** An answer has no row of its own: its id names its response and its question. */
export function answerId(responseId: Id<'resp'>, questionId: Id<'q'>): Id<'ans'> {
  return `ans_${suffixOf(responseId)}${suffixOf(questionId)}`;
}

/** Takes an answer's id apart; undefined where it is none. */
export function parseAnswerId(id: string): { responseId: Id<'resp'>; questionId: Id<'q'> } | undefined {
  const responseId = `resp_${id.slice(4, 30)}`;
  const questionId = `q_${id.slice(30)}`;
  if (!id.startsWith('ans_') || !isId('resp', responseId) || !isId('q', questionId)) return undefined;
  return { responseId, questionId };
}

/** A version's id names its form and its number, in as many digits as the largest needs. */
export const versionId = (formId: Id<'form'>, number: number): Id<'ver'> => `ver_${suffixOf(formId)}${String(number).padStart(10, '0')}`;

/** Takes a version's id apart; undefined where it is none. */
export function parseVersionId(id: string): { formId: Id<'form'>; number: number } | undefined {
  const formId = `form_${id.slice(4, 30)}`;
  const digits = id.slice(30);
  const number = Number(digits);
  if (!id.startsWith('ver_') || !isId('form', formId) || !/^\d{10}$/.test(digits) || number > 0x7f_ff_ff_ff) return undefined;
  return { formId, number };
}

const pool = Buffer.alloc(4096);
let poolOffset = pool.length;
let lastMs = 0;
let counter = 0;

function uuidV7(): Uint8Array {
  if (poolOffset + 10 > pool.length) {
    randomFillSync(pool);
    poolOffset = 0;
  }
  const bytes = Buffer.allocUnsafe(16);
  pool.copy(bytes, 6, poolOffset, poolOffset + 10);
  poolOffset += 10;

  const now = Date.now();
  if (now > lastMs) {
    lastMs = now;
    counter = bytes.readUInt16BE(6) & 0x7ff; // the top bit stays free, so that the counter has room to grow
  } else if (++counter > 0xfff) {
    lastMs += 1; // ran out within one millisecond, or the clock went back: borrow from the future
    counter = 0;
  }
  bytes.writeUIntBE(lastMs, 0, 6);
  bytes.writeUInt16BE(0x7000 | counter, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes;
}

/** 128 bits as 26 digits of 5 bits; the first digit holds the 3 highest. */
function encode(bytes: Uint8Array): string {
  let text = '';
  let bits = 2; // two zero bits in front make it 130
  let held = 0;
  for (const byte of bytes) {
    held = ((held << 8) | byte) & 0xffff;
    bits += 8;
    while (bits >= 5) {
      bits -= 5;
      text += alphabet.charAt((held >>> bits) & 31);
    }
  }
  return text;
}
