import { longestKept, millisecondsOf } from '../config.ts';

const longestMs = millisecondsOf(longestKept) ?? 0;

/**
 * A time as people write it on a command line: how long ago (`90m`, `24h`, `7d`), a hundred years at most, or RFC 3339, or a
 * day (in UTC). Undefined where it is none of these.
 */
export function readTime(text: string, now: Date): Date | undefined {
  const ms = millisecondsOf(text);
  if (ms !== undefined) return ms > longestMs ? undefined : new Date(now.getTime() - ms);
  if (!/^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:\d\d))?$/.test(text.trim())) return undefined;
  const at = new Date(text.trim());
  return Number.isNaN(at.getTime()) ? undefined : at;
}
