import { pause } from '../run.ts';

/** A loop that runs at intervals, or sooner when it is woken. */
export interface Waker {
  wake: () => void;
  /** Repeats `step` until `signal` aborts; rounds are at least `leastMs` apart, however often it is woken. */
  loop(options: { step: () => Promise<void>; everyMs: number; leastMs: number; onError: (error: unknown) => void; signal: AbortSignal }): Promise<void>;
}

export function createWaker(): Waker {
  let isWoken = false;
  let interrupt: (() => void) | undefined;
  return {
    wake: () => {
      isWoken = true;
      interrupt?.();
    },
    loop: async ({ step, everyMs, leastMs, onError, signal }) => {
      while (!signal.aborted) {
        isWoken = false;
        try {
          await step();
        } catch (error) {
          if (!signal.aborted) onError(error);
        }
        await pause(leastMs, signal);
        if (isWoken) continue;
        const sleeping = new AbortController();
        interrupt = () => sleeping.abort();
        await pause(everyMs, AbortSignal.any([signal, sleeping.signal]));
        interrupt = undefined;
      }
    },
  };
}
