import { performance } from 'node:perf_hooks';
import type { Outcome } from '../../integrations/provider.ts';
import type { ClaimRequest } from '../deliveries/claim-due.ts';
import { erasedReason } from '../deliveries/erase-deliveries.ts';
import { isPostponed, postponedUntil } from '../deliveries/postponed.ts';
import type { DeliveryState } from '../deliveries/record-outcomes.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import { stateAfter, type Attempted } from './attempt.ts';
import type { Breaker } from './breaker.ts';
import { decide } from './decide.ts';
import { createLaneHealth } from './lane-health.ts';
import { createLaneQueue } from './lane-queue.ts';
import { createOrderGate } from './order-gate.ts';
import { createTurns } from './turns.ts';
import { verdictOn } from './verdict.ts';
import { canceled, spilled, type Work } from './work.ts';

/** How a lane's receiver is to be served; made from the integration, its provider and the configuration. */
export interface LaneSettings {
  /** Calls at a time. */
  concurrency: number;
  /** Deliveries, and bytes of their events, in one call. */
  batchSize: number;
  batchBytes: number;
  /** How long a call waits for more deliveries to come along. */
  batchWaitMs: number;
  /** Whether calls take turns at a quota that is shared with others. */
  isShared: boolean;
  isOrdered: boolean;
  scheduleMs: readonly number[];
  /** How long a delivery may wait for its first attempt before it is recorded as pending. */
  spillAfterMs: number;
  /** Failures in a row that open the breaker. */
  breakerFailures: number;
}

export interface LaneDeps {
  attempt: (integration: EnabledIntegration, works: readonly Work[]) => Promise<Attempted>;
  /** Takes a turn at the provider's quotas; in how many milliseconds it comes. */
  reserveTurn: (integration: EnabledIntegration) => Promise<number>;
  earlierUndispatched: (work: Work) => Promise<readonly number[]>;
  /** Whether the response was erased while its delivery was on its way. */
  isErased: (work: Work) => boolean;
  reportHealth: (integration: EnabledIntegration, status: 'active' | 'failing' | 'disabled', reason: string | null) => void;
  onAttempted: (facts: { work: Work; integration: EnabledIntegration; outcome: Outcome; status: string; durationMs: number }) => void;
  /** Pending deliveries could be claimed now, sooner than at the next round. */
  wantMore: () => void;
  onError: (error: unknown) => void;
}

/** `openForMs`: how long the breaker has been open, where it is. */
export interface LaneLoad {
  queued: number;
  running: number;
  breaker: Breaker['state'];
  openForMs: number | undefined;
}

/** An integration's queue inside the dispatcher: bounded, with a concurrency limit and a breaker. */
export interface Lane {
  /** As its owner set it up, with the health this lane has found. */
  integration(): EnabledIntegration;
  /** Takes a delivery from the stream: tries it soon, or records it as pending at once. */
  offer(work: Work): void;
  /** What the stream should wait for before it brings more; undefined where it need not wait. */
  room(): Promise<void> | undefined;
  /** What may be claimed from PostgreSQL now, if anything. */
  claimRequest(): ClaimRequest | undefined;
  /** Takes what was claimed on `request`: of the `found` ones those that can be sent. */
  offerClaimed(works: readonly Work[], request: ClaimRequest & { found: number }): void;
  /** Records what has waited too long. */
  spillOverdue(): void;
  /** Records everything that waits, for the next dispatcher to try. */
  spillAll(): void;
  /** Puts the integration as its owner has changed it in place of the one so far. */
  update(integration: EnabledIntegration, settings: LaneSettings): void;
  /** Looks for what waits in PostgreSQL for no certain time; called when partitions are taken over. */
  catchUp(): void;
  /** For an ordered lane: a mark to hold against a later look at the database, and what to do when nothing is pending. */
  pendingMark(): number | undefined;
  nonePendingAt(mark: number | undefined): void;
  /** Deliveries waiting and calls running. */
  load(): LaneLoad;
}

const maxInOrderClaim = 16;
/** Claimed deliveries kept at hand for each place that runs, so that a drain does not wait for the database. */
const claimedPerPlace = 4;

/** Calls begun in one turn of the event loop, of some 0.2 ms each. */
const callsAtOnce = 4;

const reasons = {
  order: 'Waits for earlier deliveries of its form.',
  slow: 'Waits for its turn: the receiver is slower than its events come.',
  stopping: 'Waits for its turn: the dispatcher that had it was stopped.',
  quota: 'Waits for its turn: others use the same quota of the outside service.',
  deleted: 'The integration was deleted.',
} as const;

export function createLane(deps: LaneDeps, initial: { integration: EnabledIntegration; settings: LaneSettings }): Lane {
  let { settings } = initial;
  /** While set, everything pending is worth a try: the receiver is back, or this dispatcher is new to it. */
  let catchingUp: { recoveredAt: Date | undefined } | undefined = { recoveredAt: undefined };
  /** What the last claim was to catch up with. Undefined where it would not see everything: what was spilled was not yet committed. */
  let claimedFor: { recoveredAt: Date | undefined } | undefined;
  /** The last claim was as large as it could be: there may be more. */
  let mayHaveMore = false;
  /** Position of a claimed delivery that did not go through: in an ordered lane those behind it go back. */
  let failedClaim = Infinity;
  /** The service has asked for nothing to be sent until then. */
  let heldUntil: Date | undefined;
  let running = 0;
  let runningClaimed = 0;
  let isPumpDue = false;
  const queue = createLaneQueue();
  const gate = createOrderGate({ isBlocked: initial.integration.hasPending, earlierUndispatched: deps.earlierUndispatched });
  const health = createLaneHealth(
    {
      settings: () => settings,
      report: deps.reportHealth,
      onObstructed: () => spillQueued(),
      onRecovered: () => {
        catchingUp = { recoveredAt: new Date() };
        deps.wantMore();
      },
    },
    initial.integration,
  );
  const turns = createTurns({
    reserve: () => (settings.isShared ? deps.reserveTurn(health.integration()) : Promise.resolve(0)),
    leastMs: () => settings.batchWaitMs,
    onFar: (until) => handBackClaimed(reasons.quota, until),
    onNear: deps.wantMore,
    onError: deps.onError,
  });

  const settlePending = (work: Work, state: DeliveryState): void => {
    const noteCommitted = gate.notePending();
    work.settle(state, () => {
      noteCommitted();
      if (settings.isOrdered) deps.wantMore();
    });
  };
  const spill = (work: Work, reason: string, nextAttemptAt: Date | null): void => {
    if (health.integration().isDeleted) work.settle(canceled(work, reasons.deleted));
    else settlePending(work, spilled(work, reason, nextAttemptAt));
  };
  const spillQueued = (): void => {
    const reason = health.obstacle();
    if (reason) for (const work of queue.takeAll()) spill(work, reason, null);
  };
  /** A claim would run out before its time comes. */
  const handBackClaimed = (reason: string, until: Date): void => {
    for (const work of queue.takeClaimed()) spill(work, reason, until);
  };

  const isHeld = (): boolean => heldUntil !== undefined && heldUntil > new Date();
  const hold = (reason: string, until: Date): void => {
    if (heldUntil && heldUntil >= until) return;
    heldUntil = until;
    handBackClaimed(reason, until);
    setTimeout(pump, until.getTime() - Date.now()).unref();
  };

  const pump = (): void => {
    if (!isHeld()) {
      if (settings.isShared || settings.batchWaitMs > 0) takeTurns();
      else callSome();
    }
    if (mayHaveMore && queue.claimed() <= health.places()) {
      mayHaveMore = false;
      deps.wantMore();
    }
  };

  /** As many as there are places for; but of a burst some at a time, and between them whatever else this process does. */
  const callSome = (): void => {
    let begun = 0;
    while (running < health.places() && begun < callsAtOnce && call()) begun += 1;
    if (begun < callsAtOnce || isPumpDue) return;
    isPumpDue = true;
    setImmediate(() => {
      isPumpDue = false;
      pump();
    });
  };

  /** As many as what waits makes calls. */
  const takeTurns = (): void => {
    while (running + turns.waiting() < health.places() && queue.size() > turns.waiting() * settings.batchSize) {
      turns.take(() => {
        if (!isHeld()) call();
        pump();
      });
    }
  };

  const nextBatch = (): readonly Work[] => {
    const { batchSize, batchBytes } = settings;
    if (batchSize > 1) return queue.takeBatch({ most: batchSize, mostBytes: batchBytes });
    const work = queue.take({ places: health.places(), runningClaimed });
    return work ? [work] : [];
  };

  /** Whether there was anything to make a call of. */
  const call = (): boolean => {
    const batch = nextBatch();
    if (batch.length === 0) return false;
    const share = batch.some((work) => work.kind === 'claimed') ? 1 : 0;
    running += 1;
    runningClaimed += share;
    void run(batch)
      .catch(deps.onError)
      .finally(() => {
        running -= 1;
        runningClaimed -= share;
        pump();
      });
    return true;
  };

  const run = async (batch: readonly Work[]): Promise<void> => {
    const known = dropErased(batch);
    const works = settings.isOrdered ? await keepOrder(known) : known;
    const tryable = works.filter((work) => work.isOurs());
    for (const work of works) if (work.kind === 'claimed' && !tryable.includes(work)) handBack(work);
    if (tryable.length === 0) return;
    const attempted = await deps.attempt(health.integration(), tryable);
    for (const [index, work] of tryable.entries()) {
      const outcome = attempted.outcomes[index];
      if (outcome) conclude(work, outcome, attempted);
    }
    learnFrom(attempted.outcomes);
  };

  const dropErased = (batch: readonly Work[]): readonly Work[] => {
    const erased = batch.filter(deps.isErased);
    for (const work of erased) work.settle(canceled(work, erasedReason));
    return erased.length === 0 ? batch : batch.filter((work) => !erased.includes(work));
  };

  /** One from the stream comes again by itself; a claimed one would wait until its claim runs out. */
  const handBack = (work: Work): void => {
    failedClaim = Math.min(failedClaim, work.event.position);
    spill(work, reasons.stopping, new Date());
  };

  /** Where the database cannot tell, the delivery goes the way through PostgreSQL. */
  const mayGoFirst = (work: Work): Promise<boolean> =>
    gate.allows(work).catch((error: unknown) => {
      deps.onError(error);
      return false;
    });

  const keepOrder = async (batch: readonly Work[]): Promise<Work[]> => {
    const allowed: Work[] = [];
    for (const work of batch) {
      const isNext = work.kind === 'first' ? await mayGoFirst(work) : work.event.position < failedClaim;
      if (isNext) allowed.push(work);
      else spill(work, reasons.order, new Date());
    }
    return allowed;
  };

  const conclude = (work: Work, outcome: Outcome, attempted: Attempted): void => {
    if (isPostponed(outcome)) {
      if (work.kind === 'claimed') failedClaim = Math.min(failedClaim, work.event.position);
      spill(work, outcome.reason, postponedUntil(outcome, new Date()));
      deps.onAttempted({ work, integration: health.integration(), outcome, status: 'pending', durationMs: attempted.durationMs });
      return;
    }
    if (outcome.status === 'skipped') {
      work.settle(canceled(work, outcome.reason));
      deps.onAttempted({ work, integration: health.integration(), outcome, status: 'canceled', durationMs: attempted.durationMs });
      return;
    }
    const decision = decide({
      outcome,
      failures: work.attempts + 1 - work.scheduleStart,
      scheduleMs: settings.scheduleMs,
      now: new Date(),
      random: Math.random(),
    });
    const state = stateAfter({ work, attempted, outcome, decision });
    if (decision.status !== 'pending') work.settle(state);
    else {
      if (work.kind === 'claimed') failedClaim = Math.min(failedClaim, work.event.position);
      settlePending(work, state);
    }
    deps.onAttempted({ work, integration: health.integration(), outcome, status: decision.status, durationMs: attempted.durationMs });
  };

  const learnFrom = (outcomes: readonly Outcome[]): void => {
    const verdict = verdictOn(outcomes, new Date());
    switch (verdict.kind) {
      case 'nothing':
        return;
      case 'up':
        return health.observe({ ok: true });
      case 'down':
        return health.observe({ ok: false, reason: verdict.reason });
      case 'throttled':
        return hold(verdict.reason, verdict.until);
      case 'blocked':
        return health.block(verdict.reason);
      case 'broken':
        return health.breakDown(verdict.reason);
    }
  };

  return {
    integration: health.integration,
    offer: (work) => {
      if (settings.isOrdered) gate.pass(work.event.position);
      const reason = health.obstacle();
      if (reason) spill(work, reason, null);
      else if (settings.isOrdered && gate.isBlocked()) spill(work, reasons.order, new Date());
      else if (queue.addFirst(work)) pump();
      else spill(work, reasons.slow, new Date());
    },
    room: queue.room,
    claimRequest: () => {
      const { id, isDeleted, status } = health.integration();
      if (isDeleted || status === 'paused' || status === 'disabled' || isHeld() || turns.farAway()) return undefined;
      const atHand = queue.claimed() + runningClaimed;
      claimedFor = gate.hasUncommitted() ? undefined : catchingUp;
      const request = { integrationId: id, recoveredAt: catchingUp?.recoveredAt };
      if (health.breaker().state === 'open') return running + atHand > 0 ? undefined : { ...request, limit: 1, mode: 'probe' };
      if (settings.isOrdered) return atHand > 0 ? undefined : { ...request, limit: maxInOrderClaim, mode: 'in order' };
      const room = health.places() * Math.max(claimedPerPlace, settings.batchSize) - atHand;
      if (room <= 0) return undefined;
      return { ...request, limit: room, mode: catchingUp ? 'drain' : 'due' };
    },
    offerClaimed: (works, request) => {
      mayHaveMore = request.found >= request.limit;
      const isExhausted = !mayHaveMore && request.mode !== 'probe';
      if (isExhausted && catchingUp === claimedFor) catchingUp = undefined;
      failedClaim = Infinity;
      queue.addClaimed(works);
      if (request.mode !== 'probe') spillQueued();
      pump();
    },
    spillOverdue: () => {
      for (const work of queue.takeOlder(performance.now() - settings.spillAfterMs)) spill(work, reasons.slow, new Date());
    },
    spillAll: () => {
      for (const work of queue.takeAll()) spill(work, reasons.stopping, new Date());
    },
    update: (next, nextSettings) => {
      if (health.update(next)) {
        catchingUp = { recoveredAt: new Date() };
        heldUntil = undefined;
      }
      settings = nextSettings;
      spillQueued();
      pump();
    },
    catchUp: () => {
      catchingUp = { recoveredAt: catchingUp?.recoveredAt };
      gate.block();
    },
    pendingMark: () => (settings.isOrdered ? gate.mark() : undefined),
    nonePendingAt: gate.release,
    load: () => ({ queued: queue.size(), running, breaker: health.breaker().state, openForMs: health.openForMs() }),
  };
}
