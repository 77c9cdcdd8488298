import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSchema } from '../../src/api/schema.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { aimAt, attack, targets } from '../support/hostile-api.ts';

let api: DeliveryApi;
beforeAll(async () => {
  api = await startDeliveryApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test('every field of the schema with arguments stands thousands of hostile ones', async () => {
  const seed = Number(process.env['HOSTILE_SEED'] ?? Date.now() % 2 ** 31);
  process.stdout.write(`HOSTILE_SEED=${seed} tries the same again\n`);
  const turns = Number(process.env['HOSTILE_TURNS'] ?? 3);
  const taken = new Map<string, number>();
  for (let turn = 0; turn < turns; turn += 1) {
    for (const { name } of targets(buildSchema(), (await aimAt(api)).filled)) {
      // each with objects of its own: what a mutation took away is there again for the next
      const { filled, hostility } = await aimAt(api);
      const target = targets(buildSchema(), filled).find((one) => one.name === name)!;
      const count = await attack(api, { target, hostility, token: filled.owner.token, numRuns: 60, seed: seed + turn });
      taken.set(name, (taken.get(name) ?? 0) + count);
    }
  }
  process.stdout.write(`Taken without an error: ${JSON.stringify(Object.fromEntries(taken))}\n`);
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
}, 1_800_000);
