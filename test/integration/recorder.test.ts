import type { Pool, QueryConfig } from 'pg';
import { expect, test } from 'vitest';
import { renewLeases } from '../../src/deliveries/partition-leases.ts';
import type { FirstOutcome, Lease } from '../../src/deliveries/record-outcomes.ts';
import { createRecorder, type Dispatch } from '../../src/dispatcher/recorder.ts';
import { newId } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { insertOutboxRow } from '../support/rows.ts';

const state = { status: 'delivered', reason: null, attempts: 1, nextAttemptAt: null, finishedAt: new Date(), attempt: undefined } as const;

/** An event on its way, its outbox row, and a pool that can be made to wait or to fail before a statement, by name. */
async function begin(databaseUrl: string) {
  const pool = openTestPool(databaseUrl);
  const before: Record<string, (() => Promise<void>) | undefined> = {};
  /** After each statement about first outcomes: what the database has. */
  const seen: { outbox: number; deliveries: number }[] = [];
  const watched = {
    query: async (query: QueryConfig) => {
      await before[query.name ?? '']?.();
      const result = await pool.query(query);
      const { rows } = await pool.query('select (select count(*)::int from outbox) as outbox, (select count(*)::int from deliveries) as deliveries');
      seen.push(rows[0] as (typeof seen)[number]);
      return result;
    },
  } as unknown as Pool;
  const owner = newId('dsp');
  const { held } = await renewLeases(pool, { owner, leaseMs: 60_000, claim: true });
  const lease = held[0] as Lease;
  const ids = { organizationId: newId('org'), formId: newId('form'), responseId: newId('resp') };
  const eventId = await insertOutboxRow(pool, ids);
  const { rows } = await pool.query<{ position: number }>('select position::float8 as position from outbox');
  const done = Promise.withResolvers<void>();
  const dispatch: Dispatch = { position: rows[0]?.position ?? 0, lease, missing: 2, onDone: done.resolve };
  const outcome = (): FirstOutcome => ({
    ...ids, ...state, id: newId('dlv'), eventId, eventType: 'response.created', position: dispatch.position, integrationId: newId('intg'), lease,
  });
  const changed: string[][] = [];
  const recorder = createRecorder({ pool: watched, owner, log: silentLog, onChanged: (formIds) => void changed.push([...formIds]) });
  const close = async () => {
    recorder.close();
    await pool.end();
  };
  return { recorder, dispatch, outcome, before, seen, changed, lease, done: done.promise, [Symbol.asyncDispose]: close };
}

/** A statement that waits: resolves `begun` when it is about to run. */
function held(): { begun: Promise<void>; release: () => void; wait: () => Promise<void> } {
  const [begun, released] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  return { begun: begun.promise, release: released.resolve, wait: () => (begun.resolve(), released.promise) };
}

const lettingGoEarly = (one: { outbox: number; deliveries: number }): boolean => one.outbox === 0 && one.deliveries < 2;

test('an event keeps its outbox row until its last outcome is recorded, also one handed in while others are written', async () => {
  await using database = await createTestDatabase();
  await using facts = await begin(database.url);
  const { recorder, dispatch, outcome, before, seen, lease } = facts;
  const retries = held();
  before['record-retry-outcomes'] = retries.wait;

  recorder.retry({ ...state, id: newId('dlv'), formId: newId('form'), lease });
  recorder.first(dispatch, outcome());
  await retries.begun;
  recorder.first(dispatch, outcome());
  retries.release();
  await facts.done;

  expect(seen.filter(lettingGoEarly)).toEqual([]);
  expect(seen.at(-1)).toEqual({ outbox: 0, deliveries: 2 });
});

test('an event keeps its outbox row until its last outcome is recorded, also one handed in while the database is away', async () => {
  await using database = await createTestDatabase();
  await using facts = await begin(database.url);
  const { recorder, dispatch, outcome, before, seen } = facts;
  before['record-first-outcomes'] = async () => {
    before['record-first-outcomes'] = undefined;
    recorder.first(dispatch, outcome());
    throw Object.assign(new Error('terminating connection'), { code: '57P01' });
  };

  recorder.first(dispatch, outcome());
  await facts.done;

  expect(seen.filter(lettingGoEarly)).toEqual([]);
  expect(seen.at(-1)).toEqual({ outbox: 0, deliveries: 2 });
});

test('what was handed in is told to be recorded although more keeps coming', async () => {
  await using database = await createTestDatabase();
  await using facts = await begin(database.url);
  const { recorder, dispatch, outcome, before, seen } = facts;
  dispatch.missing = Infinity;
  let isFlushed = false;
  before['record-first-outcomes'] = async () => {
    if (!isFlushed && seen.length < 20) recorder.first(dispatch, outcome());
  };

  recorder.first(dispatch, outcome());
  await recorder.flushed();
  isFlushed = true;

  expect(seen.length).toBeLessThan(5);
});

test('the forms of a batch are told once each, when what was recorded of them can be read', async () => {
  await using database = await createTestDatabase();
  await using facts = await begin(database.url);
  const { recorder, dispatch, outcome, seen, changed, lease } = facts;
  const [first, second] = [outcome(), outcome()];
  const formId = newId('form');
  recorder.first(dispatch, first);
  recorder.first(dispatch, second);
  recorder.retry({ ...state, id: newId('dlv'), formId, lease });
  await recorder.flushed();
  expect(changed.map((formIds) => formIds.toSorted())).toEqual([[first.formId, formId].toSorted()]);
  expect(seen.at(-1)).toEqual({ outbox: 0, deliveries: 2 });

  recorder.nothing({ ...dispatch, missing: 0 });
  await recorder.flushed();
  expect(changed.slice(1).flat()).toEqual([]);
});
