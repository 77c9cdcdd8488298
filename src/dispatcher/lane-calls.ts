import type { LaneQueue } from './lane-queue.ts';
import { createTurns } from './turns.ts';
import type { Work } from './work.ts';

/** When the calls of a lane begin, and what each takes along. */
export interface LaneCalls {
  /** Begins as many as there is room and work for. */
  pump(): void;
  /** Begins none until then: the service has asked for it. */
  hold(reason: string, until: Date): void;
  /** Whatever held them up may be gone. */
  endHold(): void;
  /** Whether what was claimed now would wait for longer than a claim is good for. */
  areFarAway(): boolean;
  running(): number;
  /** Of those that run, how many took claimed deliveries along. */
  runningClaimed(): number;
}

export interface LaneCallsDeps {
  queue: LaneQueue;
  settings: () => {
    batchSize: number;
    batchBytes: number;
    batchWaitMs: number;
    /** Whether calls take turns at a quota that is shared with others. */
    isShared: boolean;
  };
  /** Calls that may run at a time. */
  places: () => number;
  /** Takes a turn at the provider's quotas; in how many milliseconds it comes. */
  reserveTurn: () => Promise<number>;
  run: (batch: readonly Work[]) => Promise<void>;
  /** Claimed deliveries would wait for longer than their claims are good for. */
  handBackClaimed: (reason: string, until: Date) => void;
  /** Calls were begun, as many as could be. */
  onPumped: () => void;
  /** A turn that was far away is near: what it could take along may be claimed. */
  wantMore: () => void;
  onError: (error: unknown) => void;
}

/** Calls begun in one turn of the event loop, of some 0.2 ms each. */
const callsAtOnce = 4;

const quotaReason = 'Waits for its turn: others use the same quota of the outside service.';

export function createLaneCalls(deps: LaneCallsDeps): LaneCalls {
  const { queue, settings, places, handBackClaimed } = deps;
  let heldUntil: Date | undefined;
  let running = 0;
  let runningClaimed = 0;
  let isPumpDue = false;
  const turns = createTurns({
    reserve: () => (settings().isShared ? deps.reserveTurn() : Promise.resolve(0)),
    leastMs: () => settings().batchWaitMs,
    onFar: (until) => handBackClaimed(quotaReason, until),
    onNear: deps.wantMore,
    onError: deps.onError,
  });

  const isHeld = (): boolean => heldUntil !== undefined && heldUntil > new Date();

  const pump = (): void => {
    if (!isHeld()) {
      if (settings().isShared || settings().batchWaitMs > 0) takeTurns();
      else callSome();
    }
    deps.onPumped();
  };

  /** As many as there are places for; but of a burst some at a time, and between them whatever else this process does. */
  const callSome = (): void => {
    let begun = 0;
    while (running < places() && begun < callsAtOnce && call()) begun += 1;
    if (begun < callsAtOnce || isPumpDue) return;
    isPumpDue = true;
    setImmediate(() => {
      isPumpDue = false;
      pump();
    });
  };

  /** As many as what waits makes calls. */
  const takeTurns = (): void => {
    while (running + turns.waiting() < places() && queue.size() > turns.waiting() * settings().batchSize) {
      turns.take(() => {
        if (!isHeld()) call();
        pump();
      });
    }
  };

  const nextBatch = (): readonly Work[] => {
    const { batchSize, batchBytes } = settings();
    if (batchSize > 1) return queue.takeBatch({ most: batchSize, mostBytes: batchBytes });
    const work = queue.take({ places: places(), runningClaimed });
    return work ? [work] : [];
  };

  /** Whether there was anything to make a call of. */
  const call = (): boolean => {
    const batch = nextBatch();
    if (batch.length === 0) return false;
    const share = batch.some((work) => work.kind === 'claimed') ? 1 : 0;
    running += 1;
    runningClaimed += share;
    void deps
      .run(batch)
      .catch(deps.onError)
      .finally(() => {
        running -= 1;
        runningClaimed -= share;
        pump();
      });
    return true;
  };

  return {
    pump,
    hold: (reason, until) => {
      if (heldUntil && heldUntil >= until) return;
      heldUntil = until;
      handBackClaimed(reason, until);
      setTimeout(pump, until.getTime() - Date.now()).unref();
    },
    endHold: () => {
      heldUntil = undefined;
    },
    areFarAway: () => isHeld() || turns.farAway() !== undefined,
    running: () => running,
    runningClaimed: () => runningClaimed,
  };
}
