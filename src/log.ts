import { writeSync } from 'node:fs';
import { pino, type DestinationStream, type Logger } from 'pino';

export type Log = Logger;
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * One structured line per thing that happened, named like an event (`delivery.attempted`), with all ids and the
 * decision. Never answers, secrets, or URLs with credentials. `descriptor`: where they go; 2 where 1 is for people.
 */
export function createLog(level: LogLevel, descriptor: 1 | 2 = 1): Log {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      messageKey: 'event',
      serializers: { err: describeError },
      formatters: { level: (label) => ({ level: label }) },
      redact: { paths: ['password', 'secret', 'token', 'authorization', '*.password', '*.secret', '*.token'], censor: '[redacted]' },
    },
    writingTo(descriptor),
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
    message: 'sqlMessage' in error || name.endsWith('Exception') ? message.slice(message.lastIndexOf(' - ') + 1).trim() : message,
    stack: stack.split('\n').filter((line) => line.startsWith('    at ')).join('\n'),
    ...(cause === undefined ? {} : { cause: describeError(cause) }),
  };
}

/** For tests, and for commands that talk to people. */
export const silentLog: Log = pino({ level: 'silent' });
