/** Times at which something is known to come due, by one clock, in milliseconds. */
export interface DueTimes {
  add(at: number): void;
  /** How long to wait for the first of those that are to come, and `most` at most. */
  waitMs(now: number, most: number): number;
}

/** Times that are over are forgotten: there are as many as waits shorter than the longest that was asked about. */
export function createDueTimes(): DueTimes {
  let times: number[] = [];
  return {
    add: (at) => void times.push(at),
    waitMs: (now, most) => {
      times = times.filter((at) => at > now);
      return Math.min(most, ...times.map((at) => at - now));
    },
  };
}
