import type { Config } from '../config.ts';
import type { Log } from '../log.ts';
import { exitCodes } from './exit-codes.ts';

/** For what has no bound of its own: the last events are published, and connections closed. */
const closingMs = 10_000;
/** Signals that are no further apart than this are one. */
const oneSignalMs = 1_000;

/**
 * How long a stop takes at most, in milliseconds, embedded servers apart: what watches processes must grant them that.
 * By default 30 s.
 */
export const stopBoundMs = ({ FORMWIRE_STOP_DELAY: delayMs, FORMWIRE_DRAIN: drainMs }: Pick<Config, 'FORMWIRE_STOP_DELAY' | 'FORMWIRE_DRAIN'>): number =>
  delayMs + drainMs + closingMs;

/**
 * The first signal lets the process end in order. Ctrl-C reaches every process of the terminal, and a launcher passes it
 * on: what comes within a second is the same wish. Whoever asks again after that wants it to end now.
 */
export function stopOnSignals(stopping: AbortController): void {
  let askedAt = Infinity;
  const ask = (): void => {
    if (performance.now() - askedAt > oneSignalMs) process.exit(exitCodes.failed);
    askedAt = Math.min(askedAt, performance.now());
    stopping.abort();
  };
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, ask);
}

/** Calls `exit` where the stop is not over within its bound, as with a database that answers nothing any more; until it is disposed of. */
export function boundStop({ boundMs, log, exit }: { boundMs: number; log: Log; exit: (code: number) => void }): Disposable {
  const timer = setTimeout(() => {
    log.error({ boundMs }, 'formwire.stop_overdue');
    exit(exitCodes.failed);
  }, boundMs);
  return { [Symbol.dispose]: () => clearTimeout(timer) };
}
