/**
 * When the calls of a lane may begin, where its provider shares a quota with others or gathers deliveries into batches.
 * What a call takes along is decided when its turn has come, so that batches grow with the load.
 */
export interface Turns {
  /** Takes a turn at the provider's quotas and calls `onTurn` when it comes. */
  take(onTurn: () => void): void;
  /** Turns that are waited for. */
  waiting(): number;
  /** When the next one comes, where it is so far away that a claim would run out before. */
  farAway(): Date | undefined;
}

export interface TurnsDeps {
  /** In how many milliseconds the turn comes that it has taken. */
  reserve: () => Promise<number>;
  /** The least a call waits, for more deliveries to come along. */
  leastMs: () => number;
  onFar: (until: Date) => void;
  /** A turn that was far away is near: what it could take along may be claimed. */
  onNear: () => void;
  onError: (error: unknown) => void;
}

/** Claims are good for longer than this. */
const farMs = 30_000;
const nearMs = 1_000;
const againMs = 1_000;

export function createTurns(deps: TurnsDeps): Turns {
  /** Times on the monotonic clock of the turns that are far away, in milliseconds. */
  const far = new Set<number>();
  let waiting = 0;

  /** While the database cannot be asked, nothing is sent: the turns are everybody's. */
  const reserved = async (): Promise<number> => {
    for (;;) {
      try {
        return await deps.reserve();
      } catch (error) {
        deps.onError(error);
        await pauseFor(againMs);
      }
    }
  };

  const comeNear = async (at: number): Promise<void> => {
    far.add(at);
    deps.onFar(dateOf(at));
    await pauseFor(at - performance.now() - nearMs);
    far.delete(at);
    deps.onNear();
  };

  const wait = async (): Promise<void> => {
    const began = performance.now();
    const waitMs = Math.max(await reserved(), deps.leastMs() - (performance.now() - began));
    const at = performance.now() + waitMs;
    if (waitMs > farMs) await comeNear(at);
    await pauseFor(at - performance.now());
  };

  return {
    take: (onTurn) => {
      waiting += 1;
      void wait().then(() => {
        waiting -= 1;
        onTurn();
      });
    },
    waiting: () => waiting,
    farAway: () => (far.size > 0 && far.size === waiting ? dateOf(Math.min(...far)) : undefined),
  };
}

const dateOf = (at: number): Date => new Date(Date.now() + at - performance.now());
const pauseFor = (ms: number): Promise<void> => new Promise((resolve) => void setTimeout(resolve, Math.max(0, ms)).unref());
