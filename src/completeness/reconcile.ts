import type { Pool } from 'pg';
import type { Reach } from '../accounts/reach.ts';
import type { Id } from '../events/id.ts';
import { fateOf, fates, type AcceptedEvent, type Fate } from './account.ts';
import { readEventsOfForm } from './accepted-events.ts';
import { integrationsOf } from './accounted-integrations.ts';
import { placesBetween } from './places-between.ts';

/** How many events came to what end at one integration. */
export type Tally = { integrationId: Id<'intg'>; isDeleted: boolean } & Record<Fate, number>;

export interface MissingDelivery {
  event: AcceptedEvent;
  integrationId: Id<'intg'>;
}

export interface Reconciliation {
  /** Responses that were accepted in the time, and all events of it, those included. */
  responses: number;
  events: number;
  /** One for each integration that gets events of the form, or got any of these. */
  tallies: Tally[];
  /** All of them that the tallies count. */
  missing: MissingDelivery[];
  /** The position after which to go on; null: this is all. */
  next: number | null;
}

export interface ReconcileDeps {
  /** For rows: may be restricted to an organisation. */
  reads: Pool;
  /** For the way from times to places, which goes by the responses of all. */
  pool: Pool;
}

export interface ReconcileRequest {
  /** Whose integrations. */
  reach: Reach;
  formId: Id<'form'>;
  since: Date;
  until: Date;
  /** A `next` of an earlier answer. */
  after?: number | undefined;
  /** Events in this call, at most. */
  most: number;
}

const pageSize = 1_000;
/** Where so many are missing something is broken, and the first of them tell what. */
const enoughMissing = 100;

/**
 * Compares what was accepted with what is recorded: every event of the form and time, for every integration that it was
 * due to when it was accepted, by the dispatcher's own rule. It ends early, after a page in which a hundred or more
 * are missing.
 */
export async function reconcile({ reads, pool }: ReconcileDeps, request: ReconcileRequest): Promise<Reconciliation> {
  const { reach, formId, since, until, most } = request;
  const places = await placesBetween(pool, { since, until });
  const counts = { responses: 0, events: 0 };
  const tallies = new Map<Id<'intg'>, Tally>();
  const missing: MissingDelivery[] = [];
  let after = Math.max(places.after, request.after ?? -Infinity);
  for (;;) {
    const limit = Math.min(pageSize, most - counts.events);
    const events = await readEventsOfForm(reads, { formId, since, until, after, through: places.through, limit });
    for (const integration of await integrationsOf(reads, { reach, formId })) {
      const tally = tallies.get(integration.id) ?? emptyTally(integration);
      tallies.set(integration.id, tally);
      for (const event of events) {
        const fate = fateOf(event, integration);
        tally[fate] += 1;
        if (fate === 'missing') missing.push({ event, integrationId: integration.id });
      }
    }
    counts.events += events.length;
    counts.responses += events.filter(({ type }) => type === 'response.created').length;
    after = events.at(-1)?.position ?? after;
    const isAll = events.length < limit;
    if (!isAll && counts.events < most && missing.length < enoughMissing) continue;
    const shown = [...tallies.values()].filter((tally) => !tally.isDeleted || wasSent(tally));
    return { ...counts, tallies: shown, missing, next: isAll ? null : after };
  }
}

const emptyTally = ({ id, isDeleted }: { id: Id<'intg'>; isDeleted: boolean }): Tally => ({
  integrationId: id,
  isDeleted,
  ...(Object.fromEntries(fates.map((fate) => [fate, 0])) as Record<Fate, number>),
});

const wasSent = ({ delivered, pending, dead, canceled }: Tally): boolean => delivered + pending + dead + canceled > 0;
