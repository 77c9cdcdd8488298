/** What a simulator takes for the time. */
export interface Clock {
  now(): Date;
}

export const systemClock: Clock = { now: () => new Date() };

/** A clock that stands still until it is told to go on, so that a minute's quota takes no minute. */
export interface ManualClock extends Clock {
  advance(milliseconds: number): void;
}

/** Starts at the present, where no other start is given: tokens are checked against it. */
export function createManualClock(start: Date = new Date()): ManualClock {
  let milliseconds = start.getTime();
  return {
    now: () => new Date(milliseconds),
    advance(by) {
      milliseconds += by;
    },
  };
}
