import { performance } from 'node:perf_hooks';
import type { CallContext, Outcome, Provider } from '../../integrations/provider.ts';
import { isDatabaseTrouble } from '../database-trouble.ts';
import type { AttemptRecord, DeliveryState } from '../deliveries/record-outcomes.ts';
import type { Event } from '../events/event.ts';
import type { Log } from '../log.ts';
import type { CountedOutcome, Decision } from './decide.ts';
import { storable, type Work } from './work.ts';

/** One call of a provider, and what came of each delivery in it. */
export interface Attempted {
  at: Date;
  durationMs: number;
  /** As many as there were deliveries, in their order. Empty when this process gave up waiting: nothing is known. */
  outcomes: Outcome[];
}

export interface AttemptDeps {
  provider: Provider;
  /** What a call gets, but for its limit. */
  contextFor: (signal: AbortSignal) => CallContext<unknown>;
  log: Log;
  /** The calls under way in this process. */
  calls: Calls;
  follow?: FollowAttempt | undefined;
}

/** Follows a call: answers the events as they are to be sent, and is told what came of each; of none, if nothing is known. */
export type FollowAttempt = (works: readonly Work[], provider: string) => { events: readonly Event[]; end(outcomes: readonly Outcome[]): void };

/** Calls under way, so that a stopping process can wait for them, and end those it has waited for long enough. */
export interface Calls {
  begin(limit: AbortController, works: readonly Work[]): void;
  end(limit: AbortController): void;
  /** Resolves when no call is about deliveries of these partitions. */
  ended(partitions: readonly number[]): Promise<void>;
  /** Aborts all; what comes of them says nothing about their receivers. */
  giveUp(): void;
  isGivenUp(): boolean;
}

export function createCalls(): Calls {
  const underway = new Map<AbortController, readonly Work[]>();
  let waiting: { partitions: readonly number[]; resolve: () => void }[] = [];
  let isGivenUp = false;
  const concerns = (partitions: readonly number[]): boolean =>
    [...underway.values()].some((works) => works.some((work) => partitions.includes(work.lease.partition)));
  return {
    begin: (limit, works) => void underway.set(limit, works),
    end: (limit) => {
      underway.delete(limit);
      if (waiting.length === 0) return;
      const [still, over] = [waiting.filter(({ partitions }) => concerns(partitions)), waiting.filter(({ partitions }) => !concerns(partitions))];
      waiting = still;
      for (const { resolve } of over) resolve();
    },
    ended: (partitions) => (concerns(partitions) ? new Promise((resolve) => waiting.push({ partitions, resolve })) : Promise.resolve()),
    isGivenUp: () => isGivenUp,
    giveUp: () => {
      isGivenUp = true;
      for (const limit of underway.keys()) limit.abort();
    },
  };
}

/** Lets a provider try a batch within its time limit. */
export async function attempt(deps: AttemptDeps, works: readonly Work[]): Promise<Attempted> {
  const { provider, contextFor, log, calls } = deps;
  const at = new Date();
  const began = performance.now();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(), provider.limits.timeoutMs);
  calls.begin(limit, works);
  const followed = deps.follow?.(works, provider.name);
  const batch = works.map((work, index) => ({ event: followed?.events[index] ?? work.event, attempt: work.attempts + 1 }));
  let outcomes: readonly Outcome[] = [];
  try {
    if (!provider.deliver) throw new Error(`${provider.name} delivers nothing`);
    const answered = await provider.deliver(batch, contextFor(limit.signal));
    if (calls.isGivenUp()) return { at, durationMs: 0, outcomes: [] };
    if (answered.length !== works.length) throw new Error(`${provider.name} answered ${answered.length} outcomes for ${works.length} deliveries`);
    outcomes = answered;
    return { at, durationMs: Math.round(performance.now() - began), outcomes: answered };
  } catch (error) {
    log.error({ provider: provider.name, err: error }, 'provider.failed');
    const fault = faultOf(error);
    return { at, durationMs: Math.round(performance.now() - began), outcomes: works.map(() => fault) };
  } finally {
    clearTimeout(timer);
    calls.end(limit);
    followed?.end(outcomes);
  }
}

/**
 * What a provider throws. Where the database was away (its ledger, its form) no attempt is used up. Everything else is a
 * bug in it, and does count: a delivery that it can never make would be tried for ever, and nobody would see it. So it
 * is dead in the end, with its reason, and redelivered by one call when the bug is mended.
 */
function faultOf(error: unknown): Outcome {
  if (isDatabaseTrouble(error)) return { status: 'deferred', reason: 'The database could not be reached.', afterMs: 5_000 };
  return { status: 'retry', error: 'PROVIDER_FAULT', reason: 'An internal error; it is logged.' };
}

/** What is written of a delivery after an attempt. */
export function stateAfter(facts: { work: Work; attempted: Attempted; outcome: CountedOutcome; decision: Decision }): DeliveryState {
  const { work, attempted, outcome, decision } = facts;
  const number = work.attempts + 1;
  return {
    status: decision.status,
    reason: decision.status === 'delivered' ? null : storable(decision.reason),
    attempts: number,
    nextAttemptAt: decision.status === 'pending' ? decision.nextAttemptAt : null,
    finishedAt: decision.status === 'pending' ? null : new Date(attempted.at.getTime() + attempted.durationMs),
    attempt: attemptRecord(number, attempted, outcome),
  };
}

function attemptRecord(number: number, attempted: Attempted, outcome: CountedOutcome): AttemptRecord {
  const hasFailed = outcome.status !== 'delivered';
  return {
    number,
    at: attempted.at,
    durationMs: attempted.durationMs,
    outcome: outcome.status,
    httpStatus: outcome.httpStatus ?? null,
    errorClass: hasFailed ? outcome.error : null,
    error: hasFailed ? storable(outcome.reason) : null,
    responseBody: storable(outcome.responseBody),
  };
}
