import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { parseConfig, variables } from '../../src/config.ts';

describe('the configuration', () => {
  test('has a default for everything', () => {
    expect(parseConfig({})).toMatchObject({ HOST: '127.0.0.1', PORT: 4000, FORMWIRE_ROLES: ['api', 'relay', 'dispatcher'] });
  });

  test('takes durations with their unit, and an empty variable as none', () => {
    expect(parseConfig({ FORMWIRE_LEASE: '1.5s', PORT: '' })).toMatchObject({ FORMWIRE_LEASE: 1_500, PORT: 4000 });
    expect(parseConfig({ FORMWIRE_RETRY_SCHEDULE: '250ms, 2m,1h' }).FORMWIRE_RETRY_SCHEDULE).toEqual([250, 120_000, 3_600_000]);
  });

  test('names every variable that is wrong, and how, at once', () => {
    const wrong = { PORT: 'http', FORMWIRE_LEASE: 'soon', FORMWIRE_ROLES: 'api,cook', DATABASE_URL: 'mysql://x' };
    for (const complaint of [/PORT: must be a number/, /FORMWIRE_LEASE: "soon" is no duration/, /FORMWIRE_ROLES.1: /, /DATABASE_URL: must be a/]) {
      expect(() => parseConfig(wrong)).toThrow(complaint);
    }
  });

  test('stands in the README, every variable of it', () => {
    const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
    expect(variables.map((variable) => variable.name).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});
