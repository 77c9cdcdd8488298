import { performance } from 'node:perf_hooks';
import type { Outcome } from '../../integrations/provider.ts';
import type { ClaimRequest } from '../deliveries/claim-due.ts';
import { erasedReason } from '../deliveries/erase-deliveries.ts';
import type { DeliveryState } from '../deliveries/record-outcomes.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import { stateAfter, type Attempted } from './attempt.ts';
import { afterAttempt, allowedConcurrency, closedBreaker, type Breaker, type Health } from './breaker.ts';
import { decide } from './decide.ts';
import { createLaneQueue } from './lane-queue.ts';
import { createOrderGate } from './order-gate.ts';
import { canceled, spilled, type Work } from './work.ts';

/** How a lane's receiver is to be served; made from the integration, its provider and the configuration. */
export interface LaneSettings {
  /** Calls at a time. */
  concurrency: number;
  /** Deliveries in one call. */
  batchSize: number;
  isOrdered: boolean;
  scheduleMs: readonly number[];
  /** How long a delivery may wait for its first attempt before it is recorded as pending. */
  spillAfterMs: number;
  /** Failures in a row that open the breaker. */
  breakerFailures: number;
}

export interface LaneDeps {
  attempt: (integration: EnabledIntegration, works: readonly Work[]) => Promise<Attempted>;
  earlierUndispatched: (work: Work) => Promise<readonly number[]>;
  /** Whether the response was erased while its delivery was on its way. */
  isErased: (work: Work) => boolean;
  reportHealth: (integration: EnabledIntegration, status: 'active' | 'failing' | 'disabled', reason: string | null) => void;
  onAttempted: (facts: { work: Work; integration: EnabledIntegration; outcome: Outcome; status: string; durationMs: number }) => void;
  /** Pending deliveries could be claimed now, sooner than at the next round. */
  wantMore: () => void;
  onError: (error: unknown) => void;
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
  load(): { queued: number; running: number; breaker: Breaker['state'] };
}

const maxInOrderClaim = 16;
/** Claimed deliveries kept at hand for each place that runs, so that a drain does not wait for the database. */
const claimedPerPlace = 4;

const reasons = {
  order: 'Waits for earlier deliveries of its form.',
  slow: 'Waits for its turn: the receiver is slower than its events come.',
  paused: 'The integration is paused.',
  stopping: 'Waits for its turn: the dispatcher that had it was stopped.',
  deleted: 'The integration was deleted.',
} as const;

export function createLane(deps: LaneDeps, initial: { integration: EnabledIntegration; settings: LaneSettings }): Lane {
  let { integration, settings } = initial;
  let breaker: Breaker = integration.status === 'failing' ? { state: 'ramping', limit: 1, successes: 0 } : closedBreaker;
  /** While set, everything pending is worth a try: the receiver is back, or this dispatcher is new to it. */
  let catchingUp: { recoveredAt: Date | undefined } | undefined = { recoveredAt: undefined };
  /** What the last claim was to catch up with. Undefined where it would not see everything: what was spilled was not yet committed. */
  let claimedFor: { recoveredAt: Date | undefined } | undefined;
  /** The last claim was as large as it could be: there may be more. */
  let mayHaveMore = false;
  /** Position of a claimed delivery that did not go through: in an ordered lane those behind it go back. */
  let failedClaim = Infinity;
  let running = 0;
  let runningClaimed = 0;
  const queue = createLaneQueue();
  const gate = createOrderGate({ isBlocked: integration.hasPending, earlierUndispatched: deps.earlierUndispatched });

  const breakerSettings = () => ({ threshold: settings.breakerFailures, concurrency: settings.concurrency });
  const places = () => allowedConcurrency(breaker, breakerSettings());

  const settlePending = (work: Work, state: DeliveryState): void => {
    const noteCommitted = gate.notePending();
    work.settle(state, () => {
      noteCommitted();
      if (settings.isOrdered) deps.wantMore();
    });
  };
  const spill = (work: Work, reason: string, nextAttemptAt: Date | null): void => {
    if (integration.isDeleted) work.settle(canceled(work, reasons.deleted));
    else settlePending(work, spilled(work, reason, nextAttemptAt));
  };

  /** Why nothing can be tried now: deliveries wait without a time, until the receiver or the owner is back. */
  const obstacle = (): string | undefined => {
    if (integration.isDeleted || integration.status === 'paused') return reasons.paused;
    if (integration.status === 'disabled') return `The integration is disabled. ${integration.statusReason ?? ''}`.trim();
    if (breaker.state === 'open') return `Waits until the receiver is back. ${breaker.reason}`;
    return undefined;
  };
  const spillQueued = (): void => {
    const reason = obstacle();
    if (reason) for (const work of queue.takeAll()) spill(work, reason, null);
  };

  const pump = (): void => {
    while (running < places()) {
      const batch = queue.take({ most: settings.batchSize, places: places(), runningClaimed });
      const [head] = batch;
      if (!head) break;
      const share = head.kind === 'claimed' ? 1 : 0;
      running += 1;
      runningClaimed += share;
      void run(batch)
        .catch(deps.onError)
        .finally(() => {
          running -= 1;
          runningClaimed -= share;
          pump();
        });
    }
    if (mayHaveMore && queue.claimed() <= places()) {
      mayHaveMore = false;
      deps.wantMore();
    }
  };

  const run = async (batch: readonly Work[]): Promise<void> => {
    const known = dropErased(batch);
    const works = settings.isOrdered ? await keepOrder(known) : known;
    const tryable = works.filter((work) => work.isOurs());
    for (const work of works) if (work.kind === 'claimed' && !tryable.includes(work)) handBack(work);
    if (tryable.length === 0) return;
    const attempted = await deps.attempt(integration, tryable);
    for (const [index, work] of tryable.entries()) {
      const outcome = attempted.outcomes[index];
      if (outcome) conclude(work, outcome, attempted);
    }
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
    deps.onAttempted({ work, integration, outcome, status: decision.status, durationMs: attempted.durationMs });
    if (outcome.status === 'broken') breakDown(outcome.reason);
    else observe(outcome.status === 'retry' ? { ok: false, reason: outcome.reason } : { ok: true });
  };

  const breakDown = (reason: string): void => {
    deps.reportHealth(integration, 'disabled', reason);
    integration = { ...integration, status: 'disabled', statusReason: reason };
    spillQueued();
  };

  const observe = (health: Health): void => {
    const wasOpen = breaker.state === 'open';
    const next = afterAttempt(breaker, health, breakerSettings());
    breaker = next;
    if (health.ok && integration.status === 'failing') {
      deps.reportHealth(integration, 'active', null);
      integration = { ...integration, status: 'active', statusReason: null };
    }
    if (wasOpen && next.state !== 'open') {
      catchingUp = { recoveredAt: new Date() };
      deps.wantMore();
    }
    if (!wasOpen && next.state === 'open') {
      deps.reportHealth(integration, 'failing', next.reason);
      integration = { ...integration, status: 'failing', statusReason: next.reason };
      spillQueued();
    }
  };

  return {
    integration: () => integration,
    offer: (work) => {
      if (settings.isOrdered) gate.pass(work.event.position);
      const reason = obstacle();
      if (reason) spill(work, reason, null);
      else if (settings.isOrdered && gate.isBlocked()) spill(work, reasons.order, new Date());
      else if (queue.addFirst(work)) pump();
      else spill(work, reasons.slow, new Date());
    },
    room: queue.room,
    claimRequest: () => {
      if (integration.isDeleted || integration.status === 'paused' || integration.status === 'disabled') return undefined;
      const atHand = queue.claimed() + runningClaimed;
      claimedFor = gate.hasUncommitted() ? undefined : catchingUp;
      const request = { integrationId: integration.id, recoveredAt: catchingUp?.recoveredAt };
      if (breaker.state === 'open') return running + atHand > 0 ? undefined : { ...request, limit: 1, mode: 'probe' };
      if (settings.isOrdered) return atHand > 0 ? undefined : { ...request, limit: maxInOrderClaim, mode: 'in order' };
      const room = places() * claimedPerPlace - atHand;
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
      if (next.updatedAt.getTime() !== integration.updatedAt.getTime()) {
        // its owner has changed something: whatever stood in the way may be gone
        integration = next;
        breaker = closedBreaker;
        catchingUp = { recoveredAt: new Date() };
      } else if (next.isDeleted || next.status === 'disabled') {
        integration = next;
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
    load: () => ({ queued: queue.size(), running, breaker: breaker.state }),
  };
}
