import { longestKept, millisecondsOf } from '../../config.ts';
import { readTime } from '../../console/read-time.ts';
import { isId, type Id, type IdPrefix } from '../../events/id.ts';
import { WrongUse } from '../exit-codes.ts';

/** What stands behind an option, checked; each throws WrongUse with the option's name. Undefined stays undefined. */
export const readArgument = {
  /** Milliseconds of `30s`, `5m`, `24h`. */
  duration: (name: string, text: string): number => {
    const ms = millisecondsOf(text);
    if (ms !== undefined && ms <= (millisecondsOf(longestKept) ?? 0)) return ms;
    throw new WrongUse(`--${name} is a number and ms, s, m, h or d, such as 5m, and ${longestKept} at most, not "${text}".`);
  },

  count: (name: string, text: string, { least = 1, most }: { least?: number; most: number }): number => {
    const count = Number(text);
    if (/^\d+$/.test(text) && count >= least && count <= most) return count;
    throw new WrongUse(`--${name} is a number from ${least} to ${most}, not "${text}".`);
  },

  time: (name: string, text: string | undefined): Date | undefined => {
    const time = text === undefined ? undefined : readTime(text, new Date());
    if (text === undefined || time) return time;
    throw new WrongUse(`--${name} is a time such as 2026-11-21, 2026-11-21T07:30:00Z, or how long ago: 90m, 24h, 7d; not "${text}".`);
  },

  id: <P extends IdPrefix>(name: string, prefix: P, text: string | undefined): Id<P> | undefined => {
    if (text === undefined || isId(prefix, text)) return text;
    throw new WrongUse(`--${name} is an id such as ${prefix}_01m7yftfc1e4st9313egv8f9m1, not "${text}".`);
  },

  /** As people write it: `localhost:3000/hooks` too. */
  url: (name: string, text: string): URL => {
    const url = URL.parse(/^[a-z]+:\/\//i.test(text) ? text : `http://${text}`);
    if (url && ['http:', 'https:'].includes(url.protocol) && url.username === '' && url.password === '') return url;
    throw new WrongUse(`--${name} is a URL such as http://localhost:3000/hooks, without a password, not "${text}".`);
  },

  oneOf: <const T extends string>(name: string, text: string | undefined, choices: readonly T[]): T | undefined => {
    const chosen = choices.find((choice) => choice === text?.toLowerCase());
    if (text === undefined || chosen) return chosen;
    throw new WrongUse(`--${name} is one of ${choices.join(', ')}, not "${text}".`);
  },
};
