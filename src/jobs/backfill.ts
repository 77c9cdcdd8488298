import type { Pool, PoolClient } from 'pg';
import { inTransaction } from '../transaction.ts';
import { advanceJob } from './claim-jobs.ts';
import { knownTo, makeDeliveries } from './make-deliveries.ts';
import { countPending, restMs, roomFor, waitForDeliveries } from './pacing.ts';
import type { Step, StepEnd } from './step.ts';
import { countResponses, walkResponses, type WalkedResponse } from './walk-responses.ts';

export interface BackfillDeps {
  pool: Pool;
  /** Pending deliveries are there; must not wait or throw. */
  onDue: () => void;
}

/**
 * Makes deliveries of the next responses, never more than a bounded number ahead of what went out: they come through
 * the lane as retries do, in a share that leaves live deliveries theirs. They and the cursor are one commit, so that no
 * response is met twice. The job is done when everything it made is through.
 *
 * Each is a new event, whose place is behind what is live at that moment. So an ordered integration gets the old responses
 * in their order and the live ones in theirs, both among each other. Were the live ones held back until all that is old
 * is through, they could wait for days.
 */
export async function backfill({ pool, onDue }: BackfillDeps, step: Step): Promise<StepEnd> {
  if (step.job.progress.isWalked) return (await countPending(pool, step.job)) === 0 ? { status: 'done' } : waitForDeliveries(step.integration);
  const room = await roomFor(pool, step);
  if (room === 0) return waitForDeliveries(step.integration);
  await inTransaction(pool, (client) => makeSome(client, step, room));
  onDue();
  return { status: 'more', afterMs: restMs };
}

async function makeSome(client: PoolClient, { job, integration }: Step, limit: number): Promise<void> {
  const { input, progress } = job;
  const total = progress.total ?? (await countResponses(client, { integration, input }));
  const { responses, next } = await walkResponses(client, { integration, input, cursor: job.cursor ?? null, limit });
  const there = responses.filter((response) => !response.isErased);
  const wanted = input.again ? there : await unknownOf(client, integration, there);
  const isAdvanced = await advanceJob(client, job, {
    cursor: next ?? null,
    progress: { total, done: progress.done + responses.length, made: progress.made + wanted.length, isWalked: next === undefined },
    result: null,
  });
  if (isAdvanced) await makeDeliveries(client, { jobId: job.id, integration, responses: wanted });
}

async function unknownOf(client: PoolClient, integration: Step['integration'], responses: readonly WalkedResponse[]): Promise<WalkedResponse[]> {
  const { underWay, delivered } = await knownTo(client, integration, responses.map(({ responseId }) => responseId));
  return responses.filter(({ responseId }) => !underWay.has(responseId) && !delivered.has(responseId));
}
