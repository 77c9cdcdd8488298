import type { Pool } from 'pg';
import type { Provider } from '../../integrations/provider.ts';
import type { EnabledIntegration } from '../integrations/enabled-integrations.ts';
import type { ClaimedJob } from './claim-jobs.ts';
import type { Step, StepEnd } from './step.ts';

/** What a job may have pending at a time, at most. */
const leastAhead = 500;
/** Whoever gets deliveries in order gets what is live behind what is pending: it waits for few of them. */
const aheadInOrder = 16;

/**
 * How many deliveries of a job may be pending at a time: enough to fill two calls of the provider, and so few that what
 * is due otherwise (retries of what is live) soon has its turn among them.
 */
export function aheadOf({ limits, isOrdered }: Pick<Provider, 'limits' | 'isOrdered'>, settings: unknown): number {
  return isOrdered?.(settings) ? aheadInOrder : Math.max(leastAhead, 2 * limits.batchSize);
}

/**
 * A backfill makes so many at a time and then rests: 500 a second. A quick receiver would take more, but so would they of
 * the processor and the database: without a rest, live deliveries took twice as long beside it; with it a third longer.
 */
const most = 100;
export const restMs = 200;

/** Looks again that soon, while its deliveries go out; and that late, while they cannot. */
const lookMs = { active: restMs, otherwise: 5_000 };

export const waitForDeliveries = ({ status }: Pick<EnabledIntegration, 'status'>): StepEnd => ({
  status: 'more',
  afterMs: status === 'active' ? lookMs.active : lookMs.otherwise,
  reason: 'Waits until what it has made is delivered.',
});

/**
 * How long a step rests that made so many deliveries, to keep to a rate a second; at least as long as it worked, so
 * that where the database is slow, half of its time is for others.
 *
 * @example 100 at 500 a second, made in 30 ms: 170; made in 150 ms: 150
 */
export const restAfter = ({ made, rate, tookMs }: { made: number; rate: number; tookMs: number }): number =>
  Math.ceil(Math.max((made * 1_000) / rate - tookMs, tookMs));

/** How many deliveries the job may make now; 0: it waits until some are through. */
export async function roomFor(pool: Pool, { job, provider, integration }: Step): Promise<number> {
  const room = aheadOf(provider, integration.settings) - (await countPending(pool, job));
  return Math.max(0, Math.min(room, most));
}

const pending = `select count(*)::int as count from deliveries where job_id = $1 and status = 'pending'`;

export async function countPending(pool: Pool, { id }: Pick<ClaimedJob, 'id'>): Promise<number> {
  const { rows } = await pool.query<{ count: number }>({ name: 'job-pending', text: pending, values: [id] });
  return rows[0]?.count ?? 0;
}
