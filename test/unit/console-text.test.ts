import { expect, test } from 'vitest';
import { readArgument } from '../../src/bin/console/read-argument.ts';
import { readTime } from '../../src/console/read-time.ts';
import { tableLines, type Column } from '../../src/console/table.ts';
import { agoText, countOf, rangesText, shortened, spanText } from '../../src/console/words.ts';

const columns: Column<{ name: string; count: number }>[] = [{ title: 'name', text: ({ name }) => name }, { title: 'count', align: 'right', text: ({ count }) => `${count}` }];

test('a table is as wide as its widest text, with numbers at the right', () => {
  const rows = [{ name: 'a', count: 1_234_567 }, { name: 'longer', count: 2 }];
  expect(tableLines(rows, columns)).toEqual(['name      count', 'a       1234567', 'longer        2']);
  expect(tableLines([], columns)).toEqual([]);
});

test('colours take no width, and only those who made the table give them', () => {
  const red = (text: string) => `\u001b[31m${text}\u001b[39m`;
  const painted = columns.map((column) => ({ ...column, paint: (text: string, { count }: { count: number }) => (count > 1 ? red(text) : text) }));
  expect(tableLines([{ name: 'a', count: 1 }, { name: 'longer', count: 2 }], painted)).toEqual(['name    count', 'a           1', `${red('longer')}      ${red('2')}`]);
});

test('nothing that others wrote breaks a line, moves the cursor, hides what follows or turns it round', () => {
  const rows = [{ name: 'a\nb\u001b[2Jc\u0007\u009b31m', count: 10 }, { name: '\u001b[8mhidden', count: 1 }, { name: '\u202etxt.exe', count: 1 }];
  expect(tableLines(rows, columns)).toEqual(['name        count', 'a b[2Jc31m     10', '[8mhidden       1', 'txt.exe         1']);
});

test('times are told in their largest unit', () => {
  expect([0, 420, 61_000, 3 * 3_600_000, 50 * 3_600_000].map(spanText)).toEqual(['0.0 s', '0.4 s', '1 m', '3 h', '2 d']);
  expect(agoText(null, new Date())).toBe('–');
  expect([countOf(1, 'event'), countOf(2_000, 'event')]).toEqual(['1 event', '2,000 events']);
  expect([shortened('short', 5), shortened('longer', 5)]).toEqual(['short', 'long…']);
  expect(rangesText([9, 1, 0, 2, 4])).toBe('0-2, 4, 9');
});

test('a time is one of a day, a clock or a while ago', () => {
  const now = new Date('2026-11-21T12:00:00Z');
  const read = (text: string) => readTime(text, now)?.toISOString();
  expect(read('90m')).toBe('2026-11-21T10:30:00.000Z');
  expect(read('7d')).toBe('2026-11-14T12:00:00.000Z');
  expect(read('2026-11-20')).toBe('2026-11-20T00:00:00.000Z');
  expect(read('2026-11-20T10:00:00+02:00')).toBe('2026-11-20T08:00:00.000Z');
  expect(['yesterday', '2026-13-40', '20', '2026-11-20 10:00'].map(read)).toEqual([undefined, undefined, undefined, undefined]);
  expect(['876001h', '36501d', '99999999999h'].map(read)).toEqual([undefined, undefined, undefined]); // no database reckons so far back
});

test('a port may be any, which is 0, and a count is at least 1', () => {
  expect(readArgument.count('port', '0', { least: 0, most: 65_535 })).toBe(0);
  expect(() => readArgument.count('port', '70000', { least: 0, most: 65_535 })).toThrow('--port is a number from 0 to 65535, not "70000".');
  expect(() => readArgument.count('count', '0', { most: 9 })).toThrow('--count is a number from 1 to 9, not "0".');
});

test('an option takes durations of a hundred years at most, and is named where it does not', () => {
  expect(readArgument.duration('late', '876000h')).toBe(876_000 * 3_600_000);
  expect(readArgument.duration('late', '5d')).toBe(5 * 86_400_000);
  for (const text of ['soon', '5w', '99999999999h']) expect(() => readArgument.duration('late', text)).toThrow(`--late is a number and ms, s, m, h or d, such as 5m, and 876000h at most, not "${text}".`);
});
