import { test } from 'vitest';
import { survivesFaults } from '../support/soak.ts';

test('whatever happens, every response is delivered to every webhook exactly once by the books', { timeout: 200_000 }, async () => {
  await survivesFaults({ seed: 20_261_121, faults: 10, leastResponses: 2_000 });
});
