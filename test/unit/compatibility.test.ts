import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { firstVersionsWithout, isFrom, oldestOnSchema, ownVersion } from '../../src/db/compatibility.ts';
import { migrationNames } from '../../src/db/migrate.ts';

test('versions are compared by their numbers, not by their letters', () => {
  expect([['1.10.0', '1.9.9'], ['1.0.0', '1.0.0'], ['2.0.0', '1.99.0'], ['1.9.9', '1.10.0'], ['0.9.0', '1.0.0'], ['1.0.0', '1.0.1']].map(([one = '', other = '']) => isFrom(one, other))).toEqual([true, true, true, false, false, false]);
});

/** What an older version would stumble over: something is gone or is called otherwise, or a row of theirs is refused. */
const takesAway = /drop (table|column|constraint|function)|\brename\b|set not null|alter column \w+ type/i;

test('every migration that takes something away says which version first does without it; the oldest that can run is the highest of them', () => {
  const text = (name: string): string => readFileSync(new URL(`../../migrations/${name}.ts`, import.meta.url), 'utf8');
  expect(migrationNames().filter((name) => takesAway.test(text(name)))).toEqual(Object.keys(firstVersionsWithout));
  for (const version of Object.values(firstVersionsWithout)) expect(isFrom(oldestOnSchema, version)).toBe(true);
  expect(isFrom(ownVersion, oldestOnSchema)).toBe(true);
});
