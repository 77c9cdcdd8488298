import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { localUrl, parseConfig, variables } from '../../src/config.ts';

describe('the configuration', () => {
  test('has a default for everything', () => {
    expect(parseConfig({})).toMatchObject({ HOST: '127.0.0.1', PORT: 4000, FORMWIRE_ROLES: ['api', 'relay', 'dispatcher'] });
  });

  test('takes durations with their unit, and an empty variable as none', () => {
    expect(parseConfig({ FORMWIRE_LEASE: '1.5s', PORT: '' })).toMatchObject({ FORMWIRE_LEASE: 1_500, PORT: 4000 });
    expect(parseConfig({ FORMWIRE_STREAM_MAX_AGE: '14d' }).FORMWIRE_STREAM_MAX_AGE).toBe(336 * 3_600_000);
    expect(parseConfig({ FORMWIRE_RETRY_SCHEDULE: '250ms, 2m,1h' }).FORMWIRE_RETRY_SCHEDULE).toEqual([250, 120_000, 3_600_000]);
  });

  test('takes a hundred years where something is kept', () => {
    expect(parseConfig({ FORMWIRE_ATTEMPT_RETENTION: '876000h' }).FORMWIRE_ATTEMPT_RETENTION).toBe(876_000 * 3_600_000);
  });

  test('names every variable that is wrong, and how, at once', () => {
    const wrong = { PORT: 'http', FORMWIRE_LEASE: 'soon', FORMWIRE_ROLES: 'api,cook', DATABASE_URL: 'mysql://x' };
    for (const complaint of [/PORT: must be a number/, /FORMWIRE_LEASE: "soon" is no duration/, /FORMWIRE_ROLES: "cook" is no role/, /DATABASE_URL: must be a/]) {
      expect(() => parseConfig(wrong)).toThrow(complaint);
    }
  });

  test.each([
    [{ PORT: '70000' }, 'PORT: must be between 0 and 65535'],
    [{ FORMWIRE_LEASE: '10ms' }, 'FORMWIRE_LEASE: must be at least 500ms, not 10ms'],
    [{ FORMWIRE_RETRY_POLL: '1000h' }, 'FORMWIRE_RETRY_POLL: must be at most 240h, not 1000h'],
    [{ FORMWIRE_ENDED_RETENTION: '99999999999h' }, 'FORMWIRE_ENDED_RETENTION: must be at most 876000h, not 99999999999h'],
    [{ FORMWIRE_RETRY_SCHEDULE: '1s,0s' }, 'FORMWIRE_RETRY_SCHEDULE: must be at least 1ms, not 0s'],
    [{ NATS_URL: 'nats://one:4222,two' }, 'NATS_URL: must be nats://'],
    [{ FORMWIRE_METRICS_TOKEN: 'a token of some length,short' }, 'FORMWIRE_METRICS_TOKEN: must have at least 16 characters'],
    [{ FORMWIRE_METRICS_TOKEN: Array(6).fill('a token of some length').join() }, 'FORMWIRE_METRICS_TOKEN: must be 5 tokens at most'],
    [{ FORMWIRE_LEASES: '2s' }, 'FORMWIRE_LEASES: there is no such variable'],
  ])('refuses %o in words', (env, complaint) => {
    expect(() => parseConfig(env)).toThrow(complaint);
  });

  test('takes several NATS servers, and leaves alone what is not ours', () => {
    expect(parseConfig({ NATS_URL: 'nats://one:4222, tls://two:4222', LEASE: 'x' }).NATS_URL).toBe('nats://one:4222, tls://two:4222');
  });

  test('takes one token for metrics, or several while one takes the place of another', () => {
    expect(parseConfig({ FORMWIRE_METRICS_TOKEN: 'the token until now' }).FORMWIRE_METRICS_TOKEN).toEqual(['the token until now']);
    expect(parseConfig({ FORMWIRE_METRICS_TOKEN: 'the token until now, the token from now on' }).FORMWIRE_METRICS_TOKEN).toEqual(['the token until now', 'the token from now on']);
  });

  test('tells where this machine reaches the API', () => {
    expect(['127.0.0.1', '0.0.0.0', '::', '::1'].map((HOST) => localUrl({ HOST, PORT: 1 }))).toEqual(['http://127.0.0.1:1', 'http://127.0.0.1:1', 'http://[::1]:1', 'http://[::1]:1']);
  });

  test('takes the URLs of outside services by name, and a public URL without a slash at its end', () => {
    expect(parseConfig({ FORMWIRE_OUTSIDE_URLS: 'google=http://127.0.0.1:1/, twilio=http://127.0.0.1:2', FORMWIRE_PUBLIC_URL: 'https://forms.example.org/' })).toMatchObject({
      FORMWIRE_OUTSIDE_URLS: { google: 'http://127.0.0.1:1', twilio: 'http://127.0.0.1:2' },
      FORMWIRE_PUBLIC_URL: 'https://forms.example.org',
    });
    expect(() => parseConfig({ FORMWIRE_OUTSIDE_URLS: 'http://127.0.0.1' })).toThrow('FORMWIRE_OUTSIDE_URLS: must be name=url');
  });

  test('reads rates as tokens a second and at once, or none', () => {
    const { FORMWIRE_RATE_FORM, FORMWIRE_RATE_KEY, FORMWIRE_RATE_USER } = parseConfig({ FORMWIRE_RATE_FORM: '20:100', FORMWIRE_RATE_KEY: 'off' });
    expect([FORMWIRE_RATE_FORM, FORMWIRE_RATE_KEY, FORMWIRE_RATE_USER]).toEqual([{ ratePerSecond: 20, burst: 100 }, 'off', { ratePerSecond: 1_000, burst: 10_000 }]);
    for (const wrong of ['20', '20:10', '0:5', '-1:5', 'fast', '1:99999999']) expect(() => parseConfig({ FORMWIRE_RATE_FORM: wrong })).toThrow('is no rate');
  });

  test('stands in ops/README.md, every variable of it', () => {
    const readme = readFileSync(new URL('../../ops/README.md', import.meta.url), 'utf8');
    expect(variables.map((variable) => variable.name).filter((name) => !readme.includes(`\`${name}\``))).toEqual([]);
  });
});
