import { hostname, userInfo } from 'node:os';
import { createLog, type Log } from '../../log.ts';

/** Who sits at this machine, as the system knows them. */
export function operatorName(): string {
  try {
    return `${userInfo().username}@${hostname()}`;
  } catch {
    return `uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`; // a container's user has no name
  }
}

/** For what an operator does that others must be able to find: one line to standard error, whatever level is configured. */
export const auditLog = (): Log => createLog('info', 2);
