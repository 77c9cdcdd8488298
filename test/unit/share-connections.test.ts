import { expect, test } from 'vitest';
import { shareConnections } from '../../src/bin/compose.ts';

test.for([18, 19, 20, 100, 500])('of %d connections everybody has some, and all together no more', (total) => {
  const shares = Object.values(shareConnections(total));
  expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
  expect(Math.min(...shares)).toBeGreaterThanOrEqual(2);
});
