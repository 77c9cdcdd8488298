import { describe, expect, test } from 'vitest';
import { createContinuity, LostOnTheWayError } from '../../src/stream/continuity.ts';

describe('deliveries of a consumer', () => {
  test('that follow each other are all here', () => {
    const continuity = createContinuity();
    for (const number of [1, 2, 3]) continuity.follow(number);
  });

  test.each([
    ['the first', [2]],
    ['one in between', [1, 2, 4]],
    ['none, but the consumer has fallen back', [1, 2, 2]],
  ])('lack %s', (_, numbers) => {
    const continuity = createContinuity();
    expect(() => numbers.forEach((number) => continuity.follow(number))).toThrow(LostOnTheWayError);
  });

  test('that were given out a while ago and have not come were lost; those of just now may be on their way', () => {
    const continuity = createContinuity();
    expect(continuity.lacks({ givenOut: 5, received: 3 })).toBe(false);
    expect(continuity.lacks({ givenOut: 9, received: 5 })).toBe(false);
    expect(continuity.lacks({ givenOut: 9, received: 8 })).toBe(true);
  });
});
