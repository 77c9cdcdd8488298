import { test } from 'vitest';
import { blows } from '../support/blows.ts';
import { describeStalls, survivesBlows } from '../support/deaths.ts';

test('whatever dies of a cluster of three NATS servers, two APIs and two dispatchers, no answered response is lost', { timeout: 900_000 }, async () => {
  const stalls = await survivesBlows(Object.values(blows), { restMs: 5_000, outMs: 5_000 });
  process.stdout.write(describeStalls(stalls));
});
