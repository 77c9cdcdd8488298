import { describe, expect, test } from 'vitest';
import type { Json } from '../../src/events/canonical-json.ts';
import { contentHash } from '../../src/responses/content-hash.ts';

const answers = [
  { key: 'a', value: 1, metadata: { x: 1, y: 2 } },
  { key: 'b', value: ['p', 'q'] },
];
const base = { answers, respondent: { mobile: '+1' }, metadata: { one: 1, two: [1, 2] } };

describe('the hash of a submission’s content', () => {
  test.for([
    ['the order of answers', { ...base, answers: answers.toReversed() }],
    ['the order of keys', { metadata: { two: [1, 2], one: 1 }, respondent: { mobile: '+1' }, answers }],
    ['members that are null', { ...base, respondent: { mobile: '+1', name: null }, collector: null, familyId: null }],
    ['null members of an answer', { ...base, answers: [{ ...answers[0], questionId: null }, { ...answers[1], metadata: null }] }],
  ])('is the same whatever %s', ([, input]) => expect(contentHash(input as typeof base)).toBe(contentHash(base)));

  test.for([
    ['a value', { ...base, answers: [{ ...answers[0], value: 2 }, answers[1]] }],
    ['the type of a value', { ...base, answers: [{ ...answers[0], value: '1' }, answers[1]] }],
    ['the order within a value', { ...base, answers: [answers[0], { key: 'b', value: ['q', 'p'] }] }],
    ['metadata of an answer', { ...base, answers: [{ key: 'a', value: 1 }, answers[1]] }],
    ['a missing answer', { ...base, answers: [answers[0]] }],
    ['the respondent', { ...base, respondent: { email: '+1' } }],
    ['the collector', { ...base, collector: { mobile: '+1' } }],
    ['the family', { ...base, familyId: 'resp_1' }],
    ['the metadata', { ...base, metadata: { one: 1, two: [2, 1] } }],
    ['a text that looks like two answers', { ...base, answers: [{ key: 'a', value: '1\n["b"]' }] }],
  ])('differs by %s', ([, input]) => expect(contentHash(input as typeof base)).not.toBe(contentHash(base)));

  test('is the one that stands in rows written long ago', () => {
    const collector = { username: 'c', userId: null, lastModifiedAt: '2026-11-21T02:15:00Z', location: undefined };
    const input = { ...base, respondent: { name: 'Søren', mobile: '+1', key: null }, collector, familyId: 'resp_1' };
    expect(contentHash(input)).toBe('BY10TmX97DQMGa1EzAg0ya9nk0TF3eNfoqfXUgoqcCw');
  });

  test('does not exist for what is nested too deeply to be stored', () => {
    let deep: Json = 'x';
    for (let level = 0; level < 10_000; level += 1) deep = [deep];
    expect(contentHash({ answers: [{ key: 'a', value: deep }] })).toBeNull();
    expect(contentHash({ answers: [], metadata: deep })).toBeNull();
  });
});
