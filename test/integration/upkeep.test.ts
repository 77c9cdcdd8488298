import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { variables } from '../../src/config.ts';
import { prunesOf } from '../../src/retention/prunes.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { readTableSecurity } from '../support/tenants.ts';

const upkeep = readFileSync(new URL('../../ops/upkeep.md', import.meta.url), 'utf8');
/** Of the first table under the heading: name, what is in it, what it grows with, when that goes. */
const rows = (/^## What is kept how long\n[^]*?\n\| ---.*\n([^]*?)\n\n/m.exec(upkeep)?.[1] ?? '').split('\n').map((line) => line.split('|').slice(1, -1).map((cell) => cell.trim()));
const namesOf = (some: string[][]): string[] => some.map(([name = '']) => name.replaceAll('`', '')).toSorted();

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database[Symbol.asyncDispose]());

test('of every table that the database has it is written down what is kept how long, and of no other', async () => {
  const pool = openTestPool(database.url, 1);
  const tables = (await readTableSecurity(pool)).map(({ name }) => name);
  await pool.end();
  expect(namesOf(rows)).toEqual(tables.toSorted());
});

test('each row says what is in the table, what it grows with, and when that goes; where never, why', () => {
  expect(rows.filter((cells) => cells.length !== 4 || cells.includes(''))).toEqual([]);
  expect(rows.filter(([, , , goes = '']) => goes.startsWith('never') && !/^never: .{8,}/.test(goes))).toEqual([]);
});

test('what is said to go in the background is what is pruned', () => {
  const pruned = new Set(prunesOf({ attemptMs: 1, endedMs: 1 }).map(({ table }) => table));
  expect(namesOf(rows.filter(([, , , goes = '']) => goes.includes('in the background')))).toEqual([...pruned].toSorted());
});

test('every variable it names is one', () => {
  const named = new Set(upkeep.match(/FORMWIRE_[A-Z_]+/g));
  expect(named.size).toBeGreaterThan(4);
  expect([...named].filter((name) => !variables.some((variable) => variable.name === name))).toEqual([]);
});
