import { test } from 'vitest';
import { survivesRollingRestarts } from '../support/rolling-restart.ts';

test('every process is restarted five times under load, and no request fails, nothing is lost and nothing comes twice', { timeout: 900_000 }, async () => {
  const silence = await survivesRollingRestarts({ rounds: 5 });
  process.stdout.write(`The longest time in which no receiver got anything: ${silence} ms\n`);
});
