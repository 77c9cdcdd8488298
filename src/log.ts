import { writeSync } from 'node:fs';
import { pino, type DestinationStream, type Logger } from 'pino';
import { redact } from './redaction.ts';

export type Log = Logger;
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * On a line that stands as it is: what a provider writes because its owner asked for it, such as a message that is only
 * simulated. No text can pass for it, since quotes in a text are escaped.
 */
const verbatim = '"isVerbatim":true';

/**
 * One structured line per thing that happened, named like an event (`delivery.attempted`), with all ids and the
 * decision. Never answers, secrets, or URLs with credentials: nobody logs them, and what others say goes through
 * `redact`, line by line. `destination`: where they go; descriptor 2 where 1 is for people.
 */
export function createLog(level: LogLevel, destination: 1 | 2 | DestinationStream = 1): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
      hooks: { streamWrite: (line) => (line.includes(verbatim) ? line : redact(line)) },
      redact: { paths: ['password', 'secret', 'token', 'authorization', '*.password', '*.secret', '*.token'], censor: '[redacted]' },
    },
    typeof destination === 'number' ? writingTo(destination) : destination,
  );
}

/**
 * Lines go out as they are written, and one that cannot is dropped: on a terminal that was closed, or a full disk,
 * pino's own destination tries for ever, and the process could never stop.
 */
const writingTo = (descriptor: 1 | 2): DestinationStream => ({
  write: (line) => {
    try {
      writeSync(descriptor, line);
    } catch {
      // there is nowhere to say it
    }
  },
});

/**
 * What a log line tells of an error. Only what is known to be safe: database errors carry whole rows in their details,
 * and MikroORM writes the statement with all its values into the message.
 */
export function describeError(error: unknown): Record<string, unknown> {
  if (!(error instanceof Error)) return { message: String(error) };
  const { name, message, stack = '', cause } = error;
  const code = 'code' in error ? error.code : undefined;
  return {
    type: name,
    code,
    message: safeMessage(error, code),
    stack: framesOf(stack, message),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/**
 * MikroORM adds to a message the detail, which has the row, and may put the statement before a dash; PostgreSQL quotes
 * values in its data exceptions (class 22).
 */
function safeMessage({ name, message: whole, ...rest }: Error, code: unknown): string {
  const [message = ''] = whole.split(/\n - (?:detail|hint): /);
  const said = 'sqlMessage' in rest || name.endsWith('Exception') ? (message.split(' - ').at(-1) ?? '') : message;
  return typeof code === 'string' && /^22[0-9A-Z]{3}$/.test(code) ? said.replace(/".*"/s, '"…"') : said;
}

/** A message of several lines could look like frames. */
function framesOf(stack: string, message: string): string {
  const frames = stack.slice(stack.startsWith(message) ? message.length : stack.indexOf(message) + message.length);
  return frames.split('\n').filter((line) => line.startsWith('    at ')).join('\n');
}

/** For tests, and for commands that talk to people. */
export const silentLog: Log = pino({ level: 'silent' });
