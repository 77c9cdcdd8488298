import { test } from 'vitest';
import { survivesRollingRestarts } from '../support/rolling-restart.ts';

test('every process is restarted under load, and no request fails, nothing is lost and nothing comes twice', { timeout: 300_000 }, async () => {
  await survivesRollingRestarts({ rounds: 1 });
});
