import { expect, test } from 'vitest';
import { isDatabaseTrouble } from '../../src/database-trouble.ts';

const failed = (code: string): Error => Object.assign(new Error('It failed.'), { code });

test.each([
  ['the server is away', 'ECONNREFUSED'],
  ['it has no connections to spare', '53300'],
  ['it shuts down', '57P01'],
  ['the password was changed', '28P01'],
  ['the user may not log in any more', '28000'],
  ['two transactions were in each other’s way', '40001'],
])('%s: the same may succeed later (%s)', (_, code) => {
  expect(isDatabaseTrouble(failed(code))).toBe(true);
});

test.each([
  ['a row that is there already', '23505'],
  ['a table that is not there', '42P01'],
  ['a statement that was cancelled', '57014'],
])('%s: it fails every time (%s)', (_, code) => {
  expect(isDatabaseTrouble(failed(code))).toBe(false);
});
