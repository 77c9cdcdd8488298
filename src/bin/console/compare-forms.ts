import type { Pool } from 'pg';
import { fates } from '../../completeness/account.ts';
import { countEventsOfForm } from '../../completeness/accepted-events.ts';
import { placesBetween } from '../../completeness/places-between.ts';
import { reconcile, type Tally } from '../../completeness/reconcile.ts';
import { repairEvents } from '../../completeness/repair.ts';
import type { Id } from '../../events/id.ts';

/** What became of everything that some forms took in a time. */
export interface Compared {
  forms: number;
  responses: number;
  events: number;
  /** One for each integration with any event that was not filtered. */
  integrations: Omit<Tally, 'isDeleted'>[];
  missing: { formId: Id<'form'>; responseId: Id<'resp'>; eventId: Id<'evt'>; eventType: string; integrationId: Id<'intg'> }[];
  /** Of the missing ones, how many are on their way again. */
  repaired: number;
}

/** What is to be compared. */
export interface Comparing {
  formIds: readonly Id<'form'>[];
  since: Date;
  until: Date;
}

/** A second of work, after which it is told how far it is. */
const eventsAtOnce = 5_000;

export interface Hooks {
  /** So many events so far. */
  onCompared: (events: number) => void;
  /** So many more deliveries of a form are on their way again. */
  onRepaired: (formId: Id<'form'>, count: number) => void;
}

/** Compares form after form. */
export async function compareForms(pool: Pool, comparing: Comparing & Hooks & { repairs: boolean }): Promise<Compared> {
  const { formIds, since, until, repairs, onCompared, onRepaired } = comparing;
  const result: Compared = { forms: formIds.length, responses: 0, events: 0, integrations: [], missing: [], repaired: 0 };
  const tallies = new Map<Id<'intg'>, Tally>();
  for (const formId of formIds) {
    for (let after: number | null | undefined; after !== null; ) {
      const part = await reconcile({ reads: pool, pool }, { reach: { kind: 'installation' }, formId, since, until, after, most: eventsAtOnce });
      result.responses += part.responses;
      result.events += part.events;
      for (const tally of part.tallies) tallies.set(tally.integrationId, added(tallies.get(tally.integrationId), tally));
      result.missing.push(...part.missing.map(({ event, integrationId }) => ({ formId, responseId: event.responseId, eventId: event.id, eventType: event.type, integrationId })));
      if (repairs && part.missing.length > 0) {
        await repairEvents(pool, part.missing.map(({ event }) => event));
        result.repaired += part.missing.length;
        onRepaired(formId, part.missing.length);
      }
      onCompared(result.events);
      after = part.next;
    }
  }
  result.integrations = [...tallies.values()].filter((tally) => fates.some((fate) => fate !== 'filtered' && tally[fate] > 0)).map(({ isDeleted: _, ...tally }) => tally);
  return result;
}

const added = (one: Tally | undefined, other: Tally): Tally =>
  one ? { ...one, ...Object.fromEntries(fates.map((fate) => [fate, one[fate] + other[fate]])) } : other;

/** How many events that will be. */
export async function countEvents(pool: Pool, { formIds, since, until }: Comparing): Promise<number> {
  const places = await placesBetween(pool, { since, until });
  let total = 0;
  for (const formId of formIds) total += await countEventsOfForm(pool, { formId, since, until, ...places });
  return total;
}
