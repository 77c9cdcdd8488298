import { pino, type Logger } from 'pino';

export type Log = Logger;
export const logLevels = ['debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof logLevels)[number];

/**
 * One structured line per thing that happened, named like an event (`delivery.attempted`), with all ids and the
 * decision. Never answers, secrets, or URLs with credentials.
 */
export function createLog(level: LogLevel): Log {
  return pino({
    level,
    base: null,
    timestamp: pino.stdTimeFunctions.isoTime,
    messageKey: 'event',
    formatters: { level: (label) => ({ level: label }) },
    redact: { paths: ['password', 'secret', 'token', 'authorization', '*.password', '*.secret', '*.token'], censor: '[redacted]' },
  });
}

/** For tests, and for commands that talk to people. */
export const silentLog: Log = pino({ level: 'silent' });
