const full = new Set(['ENOSPC', 'EDQUOT']);

/** What to do about a data directory that could not be written, in a sentence for people. `elsewhere`: how to choose another one. */
export function unwritable(dir: string, { cause, elsewhere }: { cause: unknown; elsewhere: string }): Error {
  const isFull = cause instanceof Error && 'code' in cause && full.has(String(cause.code));
  const message = isFull ? `the disk is full: make room, or ${elsewhere}` : `start Formwire as the user who owns it, or ${elsewhere}`;
  return new Error(`The data directory ${dir} cannot be written: ${message}.`, { cause });
}

/** Whether a server's log says that it ended because there was no room for what it had to write. */
export const saysDiskFull = (log: string): boolean => /no space left on device|disk quota exceeded/i.test(log);
