const dateLength = 10;
const timePattern = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/;

/** Whether `text` is a day that exists, written YYYY-MM-DD, in the years 0001 to 9999. */
export function isDate(text: string): boolean {
  if (text.length !== dateLength || text.charCodeAt(4) !== 45 || text.charCodeAt(7) !== 45) return false;
  const year = digits(text, 0, 4);
  const month = digits(text, 5, 7);
  const day = digits(text, 8, 10);
  return year >= 1 && month >= 1 && month <= 12 && day >= 1 && day <= daysIn(year, month);
}

/** Reads an RFC 3339 time and answers it in UTC to the millisecond; undefined where it is none, or its day does not exist. */
export function utcTime(text: string): string | undefined {
  if (text.length > 40 || !timePattern.test(text) || !isDate(text.slice(0, dateLength))) return undefined;
  const ms = Date.parse(text);
  const time = Number.isNaN(ms) ? '' : new Date(ms).toISOString();
  return time.length === 24 ? time : undefined; // longer: its offset takes it out of the years of four digits
}

/** Reads a time of day, HH:MM or HH:MM:SS, and answers it as HH:MM:SS; undefined where it is none. No leap seconds. */
export function timeOfDay(text: string): string | undefined {
  const isLong = text.length === 8;
  if ((text.length !== 5 && !isLong) || text.charCodeAt(2) !== 58 || (isLong && text.charCodeAt(5) !== 58)) return undefined;
  const isTime = digits(text, 0, 2) <= 23 && digits(text, 3, 5) <= 59 && (!isLong || digits(text, 6, 8) <= 59);
  if (!isTime) return undefined;
  return isLong ? text : `${text}:00`;
}

/** The number that stands between two places of a text, or NaN where anything but a digit does. */
function digits(text: string, from: number, to: number): number {
  let value = 0;
  for (let index = from; index < to; index += 1) {
    const digit = text.charCodeAt(index) - 48;
    if (digit < 0 || digit > 9) return Number.NaN;
    value = value * 10 + digit;
  }
  return value;
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28;
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31;
}
