import { test } from 'vitest';
import { survivesFaults } from '../support/soak.ts';

test.each(Array.from({ length: 10 }, (_, index) => index + 1))('whatever happens with seed %i, every response is delivered exactly once by the books', async (seed) => {
  await survivesFaults({ seed, faults: 20, leastResponses: 4_000 });
});
