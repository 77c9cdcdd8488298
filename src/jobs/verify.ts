import type { Pool } from 'pg';
import type { Settled, Verified } from '../../integrations/provider.ts';
import type { Event } from '../events/event.ts';
import { newId } from '../events/id.ts';
import type { EventEntry } from '../responses/rebuild-events.ts';
import { inTransaction } from '../transaction.ts';
import { advanceJob } from './claim-jobs.ts';
import type { JobResult } from './job.entity.ts';
import { knownTo, makeDeliveries } from './make-deliveries.ts';
import { countPending, roomFor, waitForDeliveries } from './pacing.ts';
import type { Step, StepEnd } from './step.ts';
import { countResponses, walkResponses, type WalkedPage, type WalkedResponse } from './walk-responses.ts';

export interface VerifyDeps {
  pool: Pool;
  rebuild: (entries: readonly EventEntry[]) => Promise<Event[]>;
  takeTurn: () => Promise<void>;
  /** Pending deliveries are there; must not wait or throw. */
  onDue: () => void;
}

/** As the contract says. */
const pageSize = 500;

/**
 * Compares the outside service with the next responses and keeps count of what differs, but for what is on its way
 * there anyhow. Where it is to be mended, what differs is delivered again, in the commit that says so.
 */
export async function verify(deps: VerifyDeps, step: Step): Promise<StepEnd> {
  const { pool } = deps;
  const { job, integration } = step;
  if (job.progress.isWalked) return (await countPending(pool, job)) === 0 ? { status: 'done' } : waitForDeliveries(integration);
  if (job.input.repair && (await roomFor(pool, step)) === 0) return waitForDeliveries(integration);

  const page = await inTransaction(pool, (client) => walkResponses(client, { integration, input: {}, cursor: job.cursor ?? null, limit: pageSize }));
  const compared = await compare(deps, step, page);
  if (compared.status !== 'done') return compared;
  await write(deps, step, { page, compared });
  return { status: 'more', afterMs: 0 };
}

async function compare({ rebuild, takeTurn }: VerifyDeps, { job, integration, provider, context }: Step, page: WalkedPage): Promise<Settled<Verified>> {
  if (!provider.verify) return { status: 'done', differing: [], surplus: [] };
  const there = page.responses.filter(({ isErased }) => !isErased);
  const events = await rebuild(there.map((response) => entryOf(response, integration.organizationId)));
  const erased = page.responses.filter(({ isErased }) => isErased).map(({ familyId }) => familyId);
  await takeTurn();
  return provider.verify({ events, erased, isLast: page.next === undefined, repair: job.input.repair ?? false }, context);
}

const entryOf = ({ formId, responseId }: WalkedResponse, organizationId: EventEntry['organizationId']): EventEntry =>
  ({ eventId: newId('evt'), type: 'response.created', organizationId, formId, responseId, position: 0, integrationsVersion: 0 });

async function write({ pool, onDue }: VerifyDeps, { job, integration }: Step, { page, compared }: { page: WalkedPage; compared: Verified }): Promise<void> {
  const { progress, input } = job;
  const byId = new Map(page.responses.map((response) => [response.responseId, response]));
  await inTransaction(pool, async (client) => {
    const total = progress.total ?? (await countResponses(client, { integration, input: {} }));
    const { underWay } = await knownTo(client, integration, compared.differing.map(({ responseId }) => responseId));
    const differing = compared.differing.filter(({ responseId }) => !underWay.has(responseId));
    const wanted = input.repair ? differing.flatMap(({ responseId }) => byId.get(responseId) ?? []) : [];
    const isAdvanced = await advanceJob(client, job, {
      cursor: page.next ?? null,
      progress: { total, done: progress.done + page.responses.length, made: progress.made + wanted.length, isWalked: page.next === undefined },
      result: addedTo(job.result ?? null, { ...compared, differing }),
    });
    if (isAdvanced) await makeDeliveries(client, { jobId: job.id, integration, responses: wanted });
  });
  onDue();
}

/** Differences that are kept, of each kind; the others are counted. */
const maxKept = 100;
const maxLength = 500;

/** What was found before, and on this page. */
export function addedTo(before: JobResult | null, { differing, surplus }: Verified): JobResult {
  const { differences = [], surplusFound = [] } = before ?? {};
  const found = differing.map(({ responseId, difference }) => ({ responseId, difference: cut(difference) }));
  return {
    differing: (before?.differing ?? 0) + differing.length,
    surplus: (before?.surplus ?? 0) + surplus.length,
    differences: [...differences, ...found].slice(0, maxKept),
    surplusFound: [...surplusFound, ...surplus.map(cut)].slice(0, maxKept),
  };
}

/** PostgreSQL keeps no NUL and no half of a surrogate pair. */
const cut = (text: string): string => text.slice(0, maxLength).toWellFormed().replaceAll('\0', '\uFFFD');
