import { expect, test } from 'vitest';
import { withinSize } from '../../src/api/answer-size.ts';

const sizeOf = (data: unknown): number => JSON.stringify(data).length;
const codeOf = (data: Record<string, unknown>, most: number, isMutation = false): unknown =>
  withinSize({ data }, { most, isMutation }).errors?.[0]?.extensions['code'];

test('an answer within its size is answered as it is', () => {
  const data = { form: { title: 'Lunch', questions: [{ text: 'Soup?', min: 1, required: true, max: null }] } };
  const result = { data };
  expect(withinSize(result, { most: 2 * sizeOf(data), isMutation: false })).toBe(result);
});

test('one past its size is refused, by its texts, its names or the number of its items', () => {
  expect(codeOf({ text: 'x'.repeat(1_001) }, 1_000)).toBe('ANSWER_TOO_LARGE');
  expect(codeOf(Object.fromEntries(Array.from({ length: 100 }, (_, index) => [`name-${index}`, 1])), 1_000)).toBe('ANSWER_TOO_LARGE');
  expect(codeOf({ items: Array.from({ length: 1_000 }, () => null) }, 1_000)).toBe('ANSWER_TOO_LARGE');
});

test('an object that stands in an answer many times counts as often', () => {
  const metadata = { note: 'x'.repeat(60_000) };
  const data = Object.fromEntries(Array.from({ length: 200 }, (_, index) => [`a${index}`, metadata]));
  expect(codeOf(data, 64 * 1024 * 1024)).toBeUndefined();
  expect(codeOf({ forms: Array.from({ length: 100 }, () => data) }, 64 * 1024 * 1024)).toBe('ANSWER_TOO_LARGE');
});

test('a mutation is told that it was done', () => {
  const { data, errors } = withinSize({ data: { text: 'x'.repeat(20) } }, { most: 10, isMutation: true });
  expect(data).toBeNull();
  expect(errors?.[0]?.message).toMatch(/^The operation was done, but its answer would take more than 10 bytes/);
});
