import { describe, expect, test } from 'vitest';
import { createLog, describeError, logLevels } from '../../src/log.ts';
import { redact } from '../../src/redaction.ts';

function logged(level: (typeof logLevels)[number], say: (log: ReturnType<typeof createLog>) => void): Record<string, unknown>[] {
  const lines: string[] = [];
  say(createLog(level, { write: (line) => void lines.push(line) }));
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

describe('a line of the log', () => {
  test('is JSON with its level, time, name and facts', () => {
    expect(logged('info', (log) => log.info({ eventId: 'evt_1' }, 'event.republished'))).toEqual([{ level: 'info', time: expect.stringMatching(/^\d{4}-.*Z$/), eventId: 'evt_1', event: 'event.republished' }]);
  });

  test.each(logLevels.map((level, index) => [level, index] as const))('at %s is written if it is grave enough', (level, index) => {
    const names = logged(level, (log) => {
      for (const name of ['debug', 'info', 'warn', 'error'] as const) log[name](name);
    }).map(({ event }) => event);
    expect(names).toEqual(['debug', 'info', 'warn', 'error'].slice(index));
  });
});

describe('what others say is written without', () => {
  test.each([
    ['the credentials of a URL', 'connect to postgresql://ada:hunter2@db.example.org:5432/x failed', 'connect to postgresql://[redacted]@db.example.org:5432/x failed'],
    ['a token before a host', 'nats://s3cr3t@nats:4222', 'nats://[redacted]@nats:4222'],
    ['a password with an at sign', 'http://ada:hunter@2@host/', 'http://[redacted]@host/'],
    ['the query of a URL', 'POST https://example.org/hook?key=hunter2&x=1 failed', 'POST https://example.org/hook?[redacted] failed'],
    ['a signing secret', 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw is short', '[redacted] is short'],
    ['an access token', 'token eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJ1c3IifQ.c2ln-_ was refused', 'token [redacted] was refused'],
    ['an authorization header', 'Authorization: Bearer abcdefgh12345678', 'Authorization: Bearer [redacted]'],
    ['a private key', 'no key: -----BEGIN PRIVATE KEY-----\nMC4CAQ\n-----END PRIVATE KEY-----', 'no key: [redacted]'],
    ['a phone number', 'The number +919876543210 is not valid; "+4915112345678" neither', 'The number [redacted] is not valid; "[redacted]" neither'],
  ])('%s', (_, text, written) => {
    expect(redact(text)).toBe(written);
  });

  test('and what is none of these stays as it is', () => {
    const plain = '{"time":"2026-11-28T01:00:00.000Z","sequence":123456789012,"formId":"form_01h455vb4pex5vsknk084sn02q","wait":"1+2","message":"https://example.org/hook answered 503; ada@example.org","offset":"+0530"}';
    expect(redact(plain)).toBe(plain);
  });

  test('but what an owner has asked for is written as it is, and nobody else can ask', () => {
    const [simulated, hostile] = logged('info', (log) => {
      log.info({ to: '+919876543210', isVerbatim: true }, 'sms.simulated');
      log.info({ to: '+919876543210', said: '"isVerbatim":true' }, 'x');
    });
    expect([simulated?.['to'], hostile?.['to']]).toEqual(['+919876543210', '[redacted]']);
  });

  test('in time that does not grow with what a hostile text repeats', () => {
    for (const part of ['http://', 'a:', 'eyJ', '+1', 'bearer ', '-----BEGIN PRIVATE KEY-----', 'x://a?']) {
      const text = part.repeat(20_000);
      const began = performance.now();
      redact(text);
      expect(performance.now() - began, part).toBeLessThan(5_000);
    }
  });

  test('and the line stays one JSON', () => {
    const [line] = logged('warn', (log) => log.warn({ err: new Error('http://a:b@c/?d="e" \n whsec_abc"') }, 'x'));
    expect(line).toMatchObject({ event: 'x', err: { message: expect.stringContaining('[redacted]') } });
  });
});

describe('an error', () => {
  test('is told with its code, message and frames, and its causes', () => {
    const error = Object.assign(new Error('outer', { cause: new TypeError('inner') }), { code: 'ECONNRESET' });
    expect(describeError(error)).toMatchObject({ type: 'Error', code: 'ECONNRESET', message: 'outer', stack: expect.stringMatching(/^ {4}at /), cause: { type: 'TypeError', message: 'inner' } });
  });

  test('of a statement is told without the statement and the values that PostgreSQL quotes', () => {
    const mikro = Object.assign(new Error("insert into users values ('hunter2') - relation \"users\" does not exist"), { sqlMessage: 'x', code: '42P01' });
    expect(describeError(mikro)['message']).toBe('relation "users" does not exist');
    const detailed = Object.assign(new Error('new row for relation "forms" violates check constraint "x"\n - detail: Failing row contains (my answer).\n - hint: my answer'), { code: '23514' });
    expect(describeError(detailed)['message']).toBe('new row for relation "forms" violates check constraint "x"');
    const data = Object.assign(new Error('invalid input syntax for type integer: "my answer" and "more"'), { code: '22P02' });
    expect(describeError(data)['message']).toBe('invalid input syntax for type integer: "…"');
  });

  test('keeps no line of its message for a frame', () => {
    const error = new Error('said:\n    at my answer (home:1:1)\nmore');
    expect(describeError(error)['stack']).not.toContain('my answer');
  });
});
