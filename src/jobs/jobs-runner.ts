import { setTimeout as sleep } from 'node:timers/promises';
import { pause, type Runnable } from '../run.ts';
import type { Id } from '../events/id.ts';
import { claimJob, releaseJob, renewClaim, type ClaimedJob } from './claim-jobs.ts';
import { conclude } from './conclude.ts';
import { createDueTimes } from './due-times.ts';
import { runStep, type StepDeps } from './run-step.ts';

export interface JobsRunnerDeps extends StepDeps {
  scheduleMs: readonly number[];
  /** How often due jobs are looked for. */
  pollMs: number;
  /** How long the jobs of a process that died stay with it. */
  claimMs: number;
  /** How long a stopping process waits for steps to end. */
  drainMs: number;
  /** An integration was disabled; must not wait or throw. */
  announceChange: (organizationId: Id<'org'>) => void;
}

export interface JobsRunner extends Runnable {
  /** Takes one step of the next job that is due; answers whether there was one. */
  step(signal: AbortSignal): Promise<boolean>;
}

/** Steps at a time, in one process: each may hold a connection to PostgreSQL for a moment. */
const concurrency = 5;
/** Of one organisation: its outside service may take two minutes for each, and others have theirs meanwhile. */
const concurrencyOfOne = 3;

/**
 * Does the durable work of integrations that is no delivery. A claim is a name and a time in the job's row, renewed
 * while a step runs; no transaction is held during a call. What a process leaves unfinished is taken over by another.
 * Due jobs are looked for now and then, and when the next step of one comes due whose last one was taken here: a replay
 * at 500 a second would not be that with half a second between its steps.
 */
export function createJobsRunner(deps: JobsRunnerDeps): JobsRunner {
  const { pool, log, pollMs, claimMs, drainMs } = deps;
  const onError = (error: unknown) => log.warn({ err: error }, 'jobs.round_failed');
  const due = createDueTimes();

  /** Aborts when the process stops, the job is canceled, or the claim cannot be kept. */
  const whileHeld = async (job: ClaimedJob, stopping: AbortSignal, work: (signal: AbortSignal) => Promise<void>): Promise<void> => {
    const lost = new AbortController();
    const renewing = setInterval(() => {
      renewClaim(pool, job, claimMs).then((isHeld) => isHeld || lost.abort(), onError);
    }, claimMs / 3);
    try {
      await work(AbortSignal.any([stopping, lost.signal]));
    } finally {
      clearInterval(renewing);
    }
  };

  const work = (job: ClaimedJob, stopping: AbortSignal): Promise<void> =>
    whileHeld(job, stopping, async (signal) => {
      const ended = await runStep(deps, job, signal);
      // what an aborted call says is about us, not about the service
      const isVoid = signal.aborted && ended.end.status !== 'done';
      const isWritten = !isVoid && (await conclude(deps, job, ended));
      if (!isWritten) return releaseJob(pool, job);
      const { end } = ended;
      if (end.status === 'more') due.add(performance.now() + end.afterMs);
      // of the thousand steps of a replay, the last one is what somebody looks for
      log[end.status === 'more' ? 'debug' : 'info']({ jobId: job.id, integrationId: job.integrationId, kind: job.kind, status: end.status }, 'job.stepped');
      if (end.status === 'broken') deps.announceChange(job.organizationId);
      return undefined;
    });

  const step = async (signal: AbortSignal): Promise<boolean> => {
    const job = await claimJob(pool, claimMs);
    if (job) await work(job, signal);
    return job !== undefined;
  };

  return {
    name: 'jobs',
    step,
    run: async (signal) => {
      const running = new Map<ClaimedJob, Promise<void>>();
      const begin = (job: ClaimedJob): void => {
        running.set(job, work(job, signal).catch(onError).finally(() => running.delete(job)));
      };
      const round = async (): Promise<boolean> => {
        const job = running.size < concurrency ? await claimJob(pool, claimMs, busyWith([...running.keys()])) : undefined;
        if (job) begin(job);
        return job !== undefined;
      };
      while (!signal.aborted) {
        const isBusy = await round().catch((error: unknown) => {
          onError(error);
          return false;
        });
        if (!isBusy) await Promise.race([pause(due.waitMs(performance.now(), pollMs), signal), ...running.values()]);
      }
      await Promise.race([Promise.all(running.values()), sleep(drainMs, undefined, { ref: false })]);
      // their claims run out: who took them over now would be beside what these may still do outside
      if (running.size > 0) log.warn({ jobIds: [...running.keys()].map(({ id }) => id) }, 'jobs.left');
    },
  };
}

/** The organisations that have as many steps under way as one may have. */
function busyWith(running: readonly ClaimedJob[]): Id<'org'>[] {
  const byOrganization = Map.groupBy(running, ({ organizationId }) => organizationId);
  return [...byOrganization].filter(([, jobs]) => jobs.length >= concurrencyOfOne).map(([organizationId]) => organizationId);
}
