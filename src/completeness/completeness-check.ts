import type { Pool, PoolClient } from 'pg';
import { firstIdAt, type Id } from '../events/id.ts';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';
import { inTransaction } from '../transaction.ts';
import { fateOf, type AcceptedEvent } from './account.ts';
import { readChangesAfter, readCreatedAfter } from './accepted-events.ts';
import { integrationsOfOrganizations } from './accounted-integrations.ts';
import { forgetFound, noteMissing } from './missing-rows.ts';
import type { MissingDelivery } from './reconcile.ts';

export interface CompletenessCheckOptions {
  pool: Pool;
  log: Log;
  /** How old an event is when it is looked at: once for each. */
  lagsMs?: readonly number[];
}

export interface CompletenessCheck extends Runnable {
  /** One round: the next events of every walk. Answers how many were looked at, and how many deliveries were newly found missing. */
  step(): Promise<{ checked: number; missing: number }>;
}

const pageSize = 2_000;
const everyMs = 2_000;
/** Positions as texts that sort as they do. */
const positionText = (position: number): string => String(position).padStart(16, '0');

/** The next events of a walk, and where it has come to with them; the same place again where there are none. */
type Next = (client: PoolClient, reached: string) => Promise<{ events: AcceptedEvent[]; reached: string }>;

/**
 * Walks over everything that was accepted, and notes each delivery that was due and is nowhere. Each event is looked at
 * twice: when it is minutes old, so that a fault is known soon, and when it is a day old, for what was in the outbox at
 * the first time. At most 2,000 events of a walk in a round, which take some ten milliseconds. The place is kept in
 * the database and locked for a round, so that of all processes one walks, and the next one goes on from there.
 */
export function createCompletenessCheck(options: CompletenessCheckOptions): CompletenessCheck {
  const { pool, log, lagsMs = [5 * 60_000, 24 * 3_600_000] } = options;
  const walks = lagsMs.flatMap((lagMs): { name: string; next: Next }[] => [
    { name: `responses after ${lagMs / 1_000} s`, next: nextCreated(lagMs) },
    { name: `changes after ${lagMs / 1_000} s`, next: nextChanges(lagMs) },
  ]);

  const step = async (): Promise<{ checked: number; missing: number }> => {
    const total = { checked: 0, missing: 0 };
    await forgetFound(pool);
    for (const walk of walks) {
      const found = await inTransaction(pool, (client) => walkOn(client, walk));
      for (const { event, integrationId } of found.missing.slice(0, mostLogged)) {
        log.error({ eventId: event.id, formId: event.formId, responseId: event.responseId, integrationId }, 'delivery.missing');
      }
      total.checked += found.checked;
      total.missing += found.noted;
    }
    return total;
  };

  return {
    name: 'completeness check',
    step,
    run: (signal) => repeat({ step: async () => void (await step()), everyMs, onError: (error) => log.warn({ err: error }, 'completeness.check_failed'), signal }),
  };
}

/** Of one round: the others are of the same kind, and all of them are in the table. */
const mostLogged = 100;

async function walkOn(client: PoolClient, { name, next }: { name: string; next: Next }): Promise<{ checked: number; noted: number; missing: MissingDelivery[] }> {
  const nothing = { checked: 0, noted: 0, missing: [] };
  await client.query(`insert into completeness_walks (name, reached, walked_at) values ($1, '', now()) on conflict do nothing`, [name]);
  const { rows } = await client.query<{ reached: string }>('select reached from completeness_walks where name = $1 for update skip locked', [name]);
  const [walk] = rows;
  if (!walk) return nothing; // another process is at it
  const { events, reached } = await next(client, walk.reached);
  const missing = await findMissing(client, events);
  const noted = await noteMissing(client, missing);
  await client.query('update completeness_walks set reached = $2, walked_at = now() where name = $1', [name, reached]);
  return { checked: events.length, noted, missing };
}

async function findMissing(client: PoolClient, events: readonly AcceptedEvent[]): Promise<MissingDelivery[]> {
  if (events.length === 0) return [];
  const integrations = await integrationsOfOrganizations(client, [...new Set(events.map(({ organizationId }) => organizationId))]);
  return events.flatMap((event) =>
    (integrations.get(event.organizationId) ?? [])
      .filter((integration) => fateOf(event, integration) === 'missing')
      .map(({ id }): { event: AcceptedEvent; integrationId: Id<'intg'> } => ({ event, integrationId: id })),
  );
}

function nextCreated(lagMs: number): Next {
  return async (client, reached) => {
    const { events, last } = await readCreatedAfter(client, { after: reached, before: firstIdAt('resp', Date.now() - lagMs), limit: pageSize });
    return { events, reached: last ?? reached };
  };
}

function nextChanges(lagMs: number): Next {
  return async (client, reached) => {
    const events = await readChangesAfter(client, { after: reached === '' ? 0 : Number(reached), lagMs, limit: pageSize });
    const last = events.at(-1);
    return { events, reached: last ? positionText(last.position) : reached };
  };
}
