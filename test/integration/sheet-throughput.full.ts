import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { createGoogleSheets } from '../../integrations/google-sheets/google-sheets.ts';
import { attempt, createCalls } from '../../src/dispatcher/attempt.ts';
import { createLane, type Lane } from '../../src/dispatcher/lane.ts';
import type { Work } from '../../src/dispatcher/work.ts';
import { newId } from '../../src/events/id.ts';
import type { EnabledIntegration } from '../../src/integrations/enabled-integrations.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { silentLog } from '../../src/log.ts';
import { reserveTurn } from '../../src/quotas/reserve-turn.ts';
import { formShape } from '../support/call-context.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { eventOf, newFamily, question } from '../support/sheet-events.ts';
import { openSheetWorld, type SheetWorld } from '../support/sheet-world.ts';
import { systemClock } from '../support/simulators/clock.ts';

const rows = 20_000;
/** Twenty batches at sixty writes a minute. */
const arithmeticMs = (rows / 1_000 / 60) * 60_000;
const form = formShape({ questions: Array.from({ length: 10 }, (_, index) => question(`k${index}`)) });

interface Run {
  works: Work[];
  done: PromiseWithResolvers<void>;
  /** What a lane had no room for: PostgreSQL has it. */
  pending: Work[];
}

/** One delivery for each row; the run is done when all are delivered. */
function createRun(integrationId: Work['integrationId']): Run {
  const run: Run = { works: [], done: Promise.withResolvers<void>(), pending: [] };
  let delivered = 0;
  const work = (position: number): Work => {
    const event = { ...eventOf(newFamily({ k0: position, k1: `text ${position}`, k2: true, k3: 1.5, k4: 'a longer text, as people write them' }), form), position };
    const self: Work = {
      kind: 'first', deliveryId: newId('dlv'), integrationId, event, lease: { partition: 0, epoch: 1 }, attempts: 0, scheduleStart: 0, since: performance.now(), isOurs: () => true,
      settle(state, onRecorded) {
        onRecorded?.();
        if (state.status === 'pending') return void run.pending.push(self);
        if (state.status !== 'delivered') return run.done.reject(new Error(`${state.status}: ${state.reason}`));
        delivered += 1;
        return delivered === rows ? run.done.resolve() : undefined;
      },
    };
    return self;
  };
  run.works = Array.from({ length: rows }, (_, index) => work(index));
  return run;
}

async function openLane(facts: { at: SheetWorld; pool: Pool; run: Run; integration: EnabledIntegration }): Promise<{ lane: Lane; claim: () => void }> {
  const { at, pool, run, integration } = facts;
  const provider = createGoogleSheets();
  const calls = createCalls();
  const contextFor = (signal: AbortSignal) => at.context({ integrationId: integration.id, ledger: openLedger(pool, integration.id), signal });
  expect(await provider.connect(contextFor(new AbortController().signal))).toHaveProperty('status', 'done');
  const lane = createLane(
    {
      attempt: (_, works) => attempt({ provider, contextFor, log: silentLog, calls }, works),
      reserveTurn: () => reserveTurn(pool, provider.quotas(at.settings)),
      earlierUndispatched: async () => [],
      isErased: () => false,
      reportHealth: (_, status, reason) => run.done.reject(new Error(`${status}: ${reason}`)),
      onAttempted: () => undefined,
      wantMore: () => claim(),
      onError: (error) => run.done.reject(error),
    },
    { integration, settings: { ...provider.limits, isShared: true, isOrdered: false, scheduleMs: [1_000], spillAfterMs: 5_000, breakerFailures: 10 } },
  );
  const claim = (): void => {
    const request = lane.claimRequest();
    if (!request || run.pending.length === 0) return;
    const claimed = run.pending.splice(0, request.limit).map((work): Work => ({ ...work, kind: 'claimed' }));
    lane.offerClaimed(claimed, { ...request, found: claimed.length });
  };
  return { lane, claim };
}

test('20,000 responses get into one sheet within the quota, and take no more than a fifth longer than it does', { timeout: 120_000 }, async () => {
  await using database = await createTestDatabase();
  await using stack = new AsyncDisposableStack();
  const pool = stack.adopt(openTestPool(database.url, 10), (open) => open.end());
  await using at = await openSheetWorld({ form, clock: systemClock });
  const integration: EnabledIntegration = {
    id: newId('intg'), organizationId: newId('org'), formId: form.id, provider: 'googleSheets', status: 'active', statusReason: null,
    events: ['response.created'], pastEvents: [], settings: at.settings, secrets: [], secretEnds: [], sinceVersion: 0, updatedAt: new Date(), isDeleted: false, hasPending: false,
  };
  const run = createRun(integration.id);
  const { lane, claim } = await openLane({ at, pool, run, integration });

  const began = performance.now();
  for (const work of run.works) lane.offer(work);
  stack.adopt(setInterval(claim, 200), clearInterval);
  await run.done.promise;
  const tookMs = performance.now() - began;

  const writes = at.google.requests.filter(({ operation }) => operation === 'sheets.batchUpdate');
  process.stdout.write(`${rows} rows in ${(tookMs / 1_000).toFixed(1)} s, by ${writes.length} writes and ${at.count('sheets.getByDataFilter')} reads; the quota's arithmetic is ${arithmeticMs / 1_000} s.\n`);
  expect(writes.every(({ status }) => status === 200)).toBe(true);
  expect(at.rows()).toHaveLength(rows + 1);
  expect(new Set(at.rows().slice(1).map(([id]) => id)).size).toBe(rows);
  expect(tookMs).toBeLessThan(arithmeticMs * 1.2);
});
