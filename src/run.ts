import { setTimeout as sleep } from 'node:timers/promises';

/** A part of a process with a life of its own: `run` returns when `signal` aborts and what was in flight is finished. */
export interface Runnable {
  name: string;
  run(signal: AbortSignal): Promise<void>;
}

/** Waits, or returns early when `signal` aborts; never throws. */
export async function pause(ms: number, signal: AbortSignal): Promise<void> {
  await sleep(ms, undefined, { signal, ref: false }).catch(() => undefined);
}

/**
 * Repeats `step` until `signal` aborts, with `everyMs` between the end of one and the start of the next.
 * A step that throws is reported and repeated: a part that must go on when the world failed for a while.
 */
export async function repeat(options: {
  step: () => Promise<void>;
  everyMs: number;
  onError: (error: unknown) => void;
  signal: AbortSignal;
}): Promise<void> {
  const { step, everyMs, onError, signal } = options;
  while (!signal.aborted) {
    try {
      await step();
    } catch (error) {
      if (!signal.aborted) onError(error);
    }
    await pause(everyMs, signal);
  }
}
