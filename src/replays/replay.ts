import type { Pool, PoolClient } from 'pg';
import { readEventsOfForm } from '../completeness/accepted-events.ts';
import { advanceJob, holdJob } from '../jobs/claim-jobs.ts';
import { countPending, restAfter, roomFor, waitForDeliveries } from '../jobs/pacing.ts';
import type { Step, StepEnd } from '../jobs/step.ts';
import type { Id } from '../events/id.ts';
import { inTransaction } from '../transaction.ts';
import { findNext } from './find-next.ts';
import { rangeOf } from './plan-replay.ts';
import type { ReplayTask } from './replay-task.ts';
import { sendAgain } from './send-again.ts';
import { shouldReplay } from './should-replay.ts';

export interface ReplayDeps {
  pool: Pool;
  /** Pending deliveries are there; must not wait or throw. */
  onDue: () => void;
}

/**
 * Sends the next events of a replay to one integration again: never more than a bounded number ahead of what went out,
 * and never more in a second than was asked for. They come through the lane as retries do, in a share that leaves live
 * deliveries theirs. They and the place that was reached are one commit, so whoever takes the job over after a crash
 * sends nothing twice that was not in flight.
 *
 * It reads PostgreSQL alone, and not the stream. Every event can be made again from its revision, with its bytes; which
 * events there were, and to whom each was due, is in the rows too. The stream has the same for as long as it keeps it
 * (two weeks, if its disk was not lost), without the outcomes that tell what was missed. Reading it as well would bring
 * a second order, a second cursor and the question which of the two is right.
 */
export async function replay({ pool, onDue }: ReplayDeps, step: Step): Promise<StepEnd> {
  const { job, integration } = step;
  const { replayId, input: { replay: task } } = job;
  if (!task || !replayId) throw new Error(`${job.id} has nothing to replay`);
  if (job.progress.isWalked) return (await countPending(pool, job)) === 0 ? { status: 'done' } : waitForDeliveries(integration);
  const most = mostAtOnce(task);
  const room = Math.min(most, await roomFor(pool, step));
  if (room === 0) return waitForDeliveries(integration);
  const began = performance.now();
  const sent = await inTransaction(pool, (client) => sendSome(client, step, { task, replayId, limit: room }));
  if (sent > 0) onDue();
  return { status: 'more', afterMs: restAfter({ made: sent, rate: task.rate, tookMs: performance.now() - began }) };
}

/** A tenth of a second's worth: between two steps a replay rests, and what is live finds no long burst before it. */
const mostAtOnce = ({ rate }: ReplayTask): number => Math.max(1, Math.ceil(rate / 10));

/** Locked until the commit: who pauses or cancels waits for it, and after their answer nothing more is made. */
const lockReplay = 'select 1 from replays where id = $1 and paused_at is null and canceled_at is null for share';

async function sendSome(client: PoolClient, { job, integration }: Step, { task, replayId, limit }: { task: ReplayTask; replayId: Id<'rpl'>; limit: number }): Promise<number> {
  if ((await client.query(lockReplay, [replayId])).rowCount === 0 || !(await holdJob(client, job))) return 0;
  const { events, last, looked, isEnd } = await findNext({
    read: (page) => readEventsOfForm(client, { ...rangeOf(task), ...page }),
    isWanted: (event) => shouldReplay(event, { integration, task }),
    after: job.cursor?.position ?? task.after,
    limit,
  });
  const sent = await sendAgain(client, { events, integrationId: integration.id, mode: task.mode, jobId: job.id, replayId });
  await advanceJob(client, job, {
    cursor: last ? { formId: last.formId, responseId: last.responseId, position: last.position } : (job.cursor ?? null),
    progress: { ...job.progress, done: job.progress.done + looked, made: job.progress.made + sent, isWalked: isEnd },
    result: null,
  });
  return sent;
}
