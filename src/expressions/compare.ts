import { isDate, timeOfDay, utcTime } from '../calendar.ts';
import { isList, isNumeric, nameOf, type Typed, type Value, type ValueType } from './value-type.ts';

/** Two parts whose values can be compared by `===` and `<`, or why they cannot, as a sentence. */
export type Comparable = { left: Typed; right: Typed } | { reason: string };

/** Makes two parts comparable: a text that stands beside a date is read as one, and beside a choice must be one of its texts. */
export function comparable(left: Typed, right: Typed): Comparable {
  if (isNumeric(left.type) && isNumeric(right.type)) return { left, right };
  if (isList(left.type) && isList(right.type)) return comparableLists(left, right);
  const readRight = readBeside(left.type, right);
  if (typeof readRight === 'string') return { reason: readRight };
  const readLeft = readBeside(right.type, left);
  if (typeof readLeft === 'string') return { reason: readLeft };
  if (isAlike(readLeft.type, readRight.type)) return { left: readLeft, right: readRight };
  return { reason: `${sentence(nameOf(left.type))} cannot be compared with ${nameOf(right.type)}.` };
}

/** A literal text as the other side of a comparison means it; a sentence where it cannot be meant. */
function readBeside(other: ValueType, side: Typed): Typed | string {
  const { literal } = side;
  if (typeof literal !== 'string') return side;
  if (other.kind === 'choice' || other.kind === 'choices') {
    return other.texts.has(literal) ? side : `There is no choice ${JSON.stringify(literal)} here; the choices are ${listed(other.texts)}.`;
  }
  if (other.kind !== 'date' && other.kind !== 'time' && other.kind !== 'moment') return side;
  const { read, example } = calendars[other.kind];
  const text = read(literal);
  return text === undefined ? `${JSON.stringify(literal)} is not ${nameOf(other)}; write it like '${example}'.` : { type: other, literal: text, run: () => text };
}

const calendars = {
  date: { read: (text: string) => (isDate(text) ? text : undefined), example: '2026-11-21' },
  time: { read: timeOfDay, example: '07:45' },
  moment: { read: utcTime, example: '2026-11-21T02:15:00Z' },
} as const;

/** Lists are alike where a member of the one can be compared with one of the other. */
function comparableLists(left: Typed, right: Typed): Comparable {
  const texts = left.type.kind === 'choices' ? left.type : right.type;
  for (const { literal } of [left, right]) {
    for (const item of Array.isArray(literal) && texts.kind === 'choices' ? (literal as Value[]) : []) {
      const read = readBeside(texts, { type: { kind: 'text' }, literal: item, run: () => item });
      if (typeof read === 'string') return { reason: read };
    }
  }
  return isAlike(memberOf(left.type), memberOf(right.type)) ? { left, right } : { reason: 'These two lists have different members.' };
}

/** What a member of a list is. */
export const memberOf = (list: ValueType): ValueType => (list.kind === 'list' ? list.of : { kind: 'text' });

const isAlike = (a: ValueType, b: ValueType): boolean =>
  (isNumeric(a) && isNumeric(b)) || (isText(a) && isText(b)) || (a.kind === b.kind && a.kind !== 'place');

const isText = ({ kind }: ValueType): boolean => kind === 'text' || kind === 'choice';

/** Whether two values that are there are the same. */
export function isEqual(a: Value, b: Value): boolean {
  if (!Array.isArray(a) || !Array.isArray(b)) return a === b;
  return a.length === b.length && a.every((item: Value, index) => item === b[index]);
}

const sentence = (text: string): string => text.charAt(0).toUpperCase() + text.slice(1);

function listed(texts: ReadonlySet<string>): string {
  const shown = [...texts].slice(0, 10).map((text) => JSON.stringify(text.length > 60 ? `${text.slice(0, 60).toWellFormed()}…` : text));
  return texts.size > shown.length ? `${shown.join(', ')} and ${texts.size - shown.length} more` : shown.join(', ');
}
