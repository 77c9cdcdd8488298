import { expect, test } from 'vitest';
import { z } from 'zod';
import { mapSecrets } from '../../src/integrations/secret-members.ts';

const schema = z.object({
  account: z.string(),
  token: z.string().meta({ secret: true }),
  note: z.string().min(1).meta({ secret: true }).optional(),
  headers: z.array(z.object({ name: z.string(), value: z.string().meta({ secret: true }) })).optional(),
  nested: z.object({ pin: z.string().default('0').meta({ secret: true }) }).optional(),
});
const hidden = (settings: unknown): unknown => mapSecrets(schema, settings, (text) => `<${text.length}>`);

test('secret members are mapped, and no others', () => {
  expect(hidden({ account: 'AC1', token: 'abc' })).toEqual({ account: 'AC1', token: '<3>' });
});

test('secrets are found in lists, in nested objects and behind defaults', () => {
  expect(hidden({ account: 'a', token: 'b', note: 'cc', headers: [{ name: 'x', value: 'yyy' }], nested: { pin: '1234' } })).toEqual({
    account: 'a', token: '<1>', note: '<2>', headers: [{ name: 'x', value: '<3>' }], nested: { pin: '<4>' },
  });
});

test('what is absent stays absent, and what the schema does not know stays as it is', () => {
  expect(hidden({ account: 'a', token: null, other: 'kept', __proto__: null })).toEqual({ account: 'a', token: null, other: 'kept' });
});
