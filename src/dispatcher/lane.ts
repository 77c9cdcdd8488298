import { performance } from 'node:perf_hooks';
import type { Outcome } from '../../integrations/provider.ts';
import type { ClaimRequest } from '../deliveries/claim-due.ts';
import { erasedReason } from '../deliveries/erase-deliveries.ts';
import { isPostponed } from '../deliveries/postponed.ts';
import type { DeliveryState } from '../deliveries/record-outcomes.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { Attempted } from './attempt.ts';
import type { Breaker } from './breaker.ts';
import { conclude } from './conclude.ts';
import { createLaneCalls } from './lane-calls.ts';
import { createLaneClaims } from './lane-claims.ts';
import { createLaneHealth } from './lane-health.ts';
import { createLaneQueue } from './lane-queue.ts';
import { createOrderGate } from './order-gate.ts';
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

const reasons = {
  order: 'Waits for earlier deliveries of its form.',
  slow: 'Waits for its turn: the receiver is slower than its events come.',
  stopping: 'Waits for its turn: the dispatcher that had it was stopped.',
  late: 'Waits for its turn: the dispatcher that had it did not come to it in time.',
  deleted: 'The integration was deleted.',
} as const;

export function createLane(deps: LaneDeps, initial: { integration: EnabledIntegration; settings: LaneSettings }): Lane {
  let { settings } = initial;
  /** Position of a claimed delivery that failed or was given back: in an ordered lane those behind it go back. */
  let failedClaim = Infinity;
  /** Claimed ones of an ordered lane that are at hand, or were sent and are not recorded. */
  const held = new Set<Work['deliveryId']>();
  const queue = createLaneQueue();
  const claims = createLaneClaims();
  const gate = createOrderGate({ isBlocked: initial.integration.hasPending, earlierUndispatched: deps.earlierUndispatched });
  const health = createLaneHealth(
    {
      settings: () => settings,
      report: deps.reportHealth,
      onObstructed: () => spillQueued(),
      onRecovered: () => {
        claims.catchUp(new Date());
        deps.wantMore();
      },
    },
    initial.integration,
  );
  const calls = createLaneCalls({
    queue,
    settings: () => settings,
    places: health.places,
    reserveTurn: () => deps.reserveTurn(health.integration()),
    run: (batch) => run(batch),
    handBackClaimed: (reason, until) => {
      for (const work of queue.takeClaimed()) spill(work, reason, until);
    },
    onPumped: () => {
      if (claims.takeMore(queue.claimed(), { places: health.places(), isOrdered: settings.isOrdered })) deps.wantMore();
    },
    wantMore: deps.wantMore,
    onError: deps.onError,
  });

  /** What is not pending any more. In order, a claim sees no further than a number of those that are not recorded. */
  const settleEnded = (work: Work, state: DeliveryState): void =>
    work.settle(state, () => {
      if (held.delete(work.deliveryId) && queue.claimed() === 0) deps.wantMore();
    });
  const settlePending = (work: Work, state: DeliveryState): void => {
    held.delete(work.deliveryId); // at once: nothing is to be sent before it, also while it is not recorded
    if (work.kind === 'claimed') failedClaim = Math.min(failedClaim, work.event.position); // nor what a claim under way brings
    const noteCommitted = gate.notePending();
    work.settle(state, () => {
      noteCommitted();
      if (settings.isOrdered) deps.wantMore();
    });
  };
  const spill = (work: Work, reason: string, nextAttemptAt: Date | null): void => {
    if (health.integration().isDeleted) settleEnded(work, canceled(work, reasons.deleted));
    else settlePending(work, spilled(work, reason, nextAttemptAt));
  };
  const spillQueued = (): void => {
    const reason = health.obstacle();
    if (reason) for (const work of queue.takeAll()) spill(work, reason, null);
  };

  /** What was claimed in any order goes back, also what a claim under way brings. */
  const claimAnew = (): void => {
    for (const work of queue.takeClaimed()) spill(work, reasons.order, new Date());
    failedClaim = -Infinity;
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
      if (outcome) settle(work, outcome, attempted);
    }
    learnFrom(attempted.outcomes);
  };

  const dropErased = (batch: readonly Work[]): readonly Work[] => {
    const erased = batch.filter(deps.isErased);
    for (const work of erased) settleEnded(work, canceled(work, erasedReason));
    return erased.length === 0 ? batch : batch.filter((work) => !erased.includes(work));
  };

  /** One from the stream comes again by itself; a claimed one would wait until its claim runs out. */
  const handBack = (work: Work): void => spill(work, reasons.late, new Date());

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

  const settle = (work: Work, outcome: Outcome, attempted: Attempted): void => {
    const state = conclude(work, { outcome, attempted, scheduleMs: settings.scheduleMs, now: new Date(), random: Math.random() });
    if (state.status !== 'pending') settleEnded(work, state);
    else if (isPostponed(outcome) && health.integration().isDeleted) settleEnded(work, canceled(work, reasons.deleted));
    else settlePending(work, state);
    deps.onAttempted({ work, integration: health.integration(), outcome, status: state.status, durationMs: attempted.durationMs });
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
        return calls.hold(verdict.reason, verdict.until);
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
      else if (queue.addFirst(work)) calls.pump();
      else spill(work, reasons.slow, new Date());
    },
    room: queue.room,
    claimRequest: () => {
      const { id, isDeleted, status } = health.integration();
      if (isDeleted || status === 'paused' || status === 'disabled' || calls.areFarAway()) return undefined;
      const atHand = queue.claimed() + calls.runningClaimed();
      if (atHand === 0) failedClaim = Infinity; // those behind it have gone back
      return claims.request({
        integrationId: id,
        isOpen: health.breaker().state === 'open',
        isOrdered: settings.isOrdered,
        places: health.places(),
        batchSize: settings.batchSize,
        running: calls.running(),
        atHand,
        hasUncommitted: gate.hasUncommitted(),
        held: [...held],
        isBrokenOff: failedClaim < Infinity,
      });
    },
    offerClaimed: (works, request) => {
      claims.note(request);
      if (settings.isOrdered) for (const { deliveryId } of works) held.add(deliveryId);
      queue.addClaimed(works);
      if (request.mode !== 'probe') spillQueued();
      calls.pump();
    },
    spillOverdue: () => {
      for (const work of queue.takeOlder(performance.now() - settings.spillAfterMs)) spill(work, reasons.slow, new Date());
    },
    spillAll: () => {
      for (const work of queue.takeAll()) spill(work, reasons.stopping, new Date());
    },
    update: (next, nextSettings) => {
      if (health.update(next)) {
        claims.catchUp(new Date());
        calls.endHold();
      }
      const isOrderedNow = nextSettings.isOrdered && !settings.isOrdered;
      settings = nextSettings;
      if (isOrderedNow) claimAnew();
      spillQueued();
      calls.pump();
    },
    catchUp: () => {
      claims.catchUp();
      gate.block();
    },
    pendingMark: () => (settings.isOrdered ? gate.mark() : undefined),
    nonePendingAt: gate.release,
    load: () => ({ queued: queue.size(), running: calls.running(), breaker: health.breaker().state, openForMs: health.openForMs() }),
  };
}
