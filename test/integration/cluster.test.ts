import { test } from 'vitest';
import { blows } from '../support/blows.ts';
import { survivesBlows } from '../support/deaths.ts';

/** The long form, `cluster.full.ts`, kills everything there is. */
test('a cluster of three NATS servers, two APIs and two dispatchers loses nothing when the stream’s leader or a process dies', { timeout: 180_000 }, async () => {
  await survivesBlows([blows.leader, blows.api, blows.dispatcher], { restMs: 500, outMs: 1_000 });
});
