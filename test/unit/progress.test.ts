import { expect, test } from 'vitest';
import { openProgress, progressLine } from '../../src/bin/demo/progress.ts';

const streamOf = (facts: { isTTY: boolean; columns?: number }) => {
  const written: string[] = [];
  return { ...facts, written, write: (text: string) => written.push(text) };
};

test('a bar fills up, and is no longer than a terminal is wide', () => {
  expect(progressLine('events', { done: 25, total: 100 })).toBe(`  events     ${'█'.repeat(10)}${'░'.repeat(30)}    25 / 100`);
  expect(progressLine('events', { done: 1, total: 2, width: 40 })).toHaveLength(39);
  expect(progressLine('events', { done: 3, total: 2, width: 10 })).toBe(`  events     █████     3 / 2`);
});

test('on a terminal it is drawn over itself, and once more only where it has changed', () => {
  const stream = streamOf({ isTTY: true, columns: 80 });
  using bar = openProgress('events', stream);
  for (const done of [1, 1, 2, 2]) bar.show(done, 2);
  expect(stream.written).toEqual([`\r${progressLine('events', { done: 1, total: 2 })}`, `\r${progressLine('events', { done: 2, total: 2 })}\n`]);
});

test('what is said after one that never filled up has a line of its own', () => {
  const stream = streamOf({ isTTY: true, columns: 0 }); // one that does not know how wide it is
  {
    using bar = openProgress('events', stream);
    bar.show(1, 2);
  }
  expect(stream.written[0]).toBe(`\r${progressLine('events', { done: 1, total: 2 })}`);
  expect(stream.written.at(-1)).toBe('\n');
});

test('on anything but a terminal only the end is written, and nothing of nothing', () => {
  const stream = streamOf({ isTTY: false, columns: 20 });
  {
    using bar = openProgress('events', stream);
    for (const done of [0, 1, 2]) bar.show(done, 2);
  }
  {
    using bar = openProgress('events', stream);
    bar.show(0, 0);
    bar.show(1, 2);
  }
  expect(stream.written).toEqual([`${progressLine('events', { done: 2, total: 2 })}\n`]);
});
