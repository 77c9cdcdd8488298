import { test } from 'vitest';
import { survivesKeyRotation } from '../support/key-rotation.ts';
import { rotations } from '../support/rotations.ts';

const each = Object.keys(rotations) as (keyof typeof rotations)[];

test.each(each)('%s is changed under load, step by step, and no request fails, nothing is lost and nothing comes twice', { timeout: 600_000 }, async (key) => {
  await survivesKeyRotation({ keys: [key], natsServers: 3 });
});
