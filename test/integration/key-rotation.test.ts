import { test } from 'vitest';
import { survivesKeyRotation } from '../support/key-rotation.ts';
import { rotations } from '../support/rotations.ts';

const every = Object.keys(rotations) as (keyof typeof rotations)[];

test('every key and password is changed and every process restarted under load, and no request fails, nothing is lost and nothing comes twice', { timeout: 300_000 }, async () => {
  await survivesKeyRotation({ keys: every, natsServers: 1, areKnown: true });
});
