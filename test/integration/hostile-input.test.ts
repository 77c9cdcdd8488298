import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildSchema } from '../../src/api/schema.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { aimAt, attack, targets } from '../support/hostile-api.ts';
import type { Lists } from '../support/lists.ts';
import { objectTypes } from '../support/schema-walk.ts';

const schema = buildSchema();
const names = objectTypes(schema).flatMap((type) => Object.values(type.getFields()).flatMap((field) => (field.args.length > 0 && type.name !== 'Subscription' ? [`${type.name}.${field.name}`] : [])));

let api: DeliveryApi;
let filled: Lists;

beforeAll(async () => {
  api = await startDeliveryApi();
});
afterAll(() => api[Symbol.asyncDispose]());

test.for(names)('%s answers hostile arguments with an error of the caller’s or a result, and goes on serving', async (name) => {
  const aim = await aimAt(api);
  ({ filled } = aim);
  const target = targets(schema, filled).find((one) => one.name === name);
  if (!target) throw new Error(`${name} cannot be reached`);
  await attack(api, { target, hostility: aim.hostility, token: filled.owner.token, numRuns: 20 });
  expect((await api.post({ query: '{ __typename }' })).body).toMatchObject({ data: { __typename: 'Query' } });
  expect(({} as { polluted?: unknown }).polluted).toBeUndefined();
});
