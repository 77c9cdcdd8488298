import { expect, test } from 'vitest';
import type { Pool } from 'pg';
import { createLog } from '../../src/log.ts';
import type { Prune } from '../../src/retention/prune.ts';
import { createPruner } from '../../src/retention/pruner.ts';

const hour = 3_600_000;
const never = new AbortController().signal;

/** A prune of pages with so many rows each, the last one of which is the last. */
function pagesOf(table: string, { counts, everyMs = hour, onPage }: { counts: number[]; everyMs?: number; onPage?: () => void }): Prune & { asked: string[] } {
  const asked: string[] = [];
  return {
    table, everyMs, asked,
    page: async (_pool, after) => {
      asked.push(after);
      onPage?.();
      const place = Number(after);
      return { count: counts[place] ?? 0, next: place + 1 < counts.length ? String(place + 1) : null };
    },
  };
}

function prunerOf(...prunes: Prune[]) {
  const lines: Record<string, unknown>[] = [];
  const log = createLog('debug', { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) });
  const told: unknown[] = [];
  const hooks = { onPruned: (facts: unknown) => void told.push(facts), onPrunedAll: () => void told.push('all') };
  return { pruner: createPruner({ pool: {} as Pool, prunes, log, ...hooks }), lines, told };
}

const failing = (error: unknown) => () => {
  throw error;
};

test('a prune goes on from page to page until there is no more, and says once how many rows went', async () => {
  const jobs = pagesOf('jobs', { counts: [3, 3, 1] });
  const { pruner, lines } = prunerOf(jobs);
  await pruner.round(never);
  expect(jobs.asked).toEqual(['', '1', '2']);
  expect(lines).toMatchObject([{ level: 'info', event: 'rows.pruned', table: 'jobs', count: 7 }]);
});

test('it tells of the rows of each page, and of each round that has left nothing', async () => {
  const jobs = pagesOf('jobs', { counts: [3, 0, 1] });
  const { pruner, told } = prunerOf(jobs, pagesOf('ledger', { counts: [0] }));
  await pruner.round(never);
  expect(told).toEqual([{ table: 'jobs', count: 3 }, { table: 'jobs', count: 1 }, 'all']);
  await pruner.round(never);
  expect(told.slice(3)).toEqual(['all']);
});

test('where rows stay and something of them goes, it says what', async () => {
  const { pruner, lines } = prunerOf({ ...pagesOf('integrations', { counts: [1] }), column: 'secrets' });
  await pruner.round(never);
  expect(lines).toMatchObject([{ event: 'rows.pruned', table: 'integrations', column: 'secrets', count: 1 }]);
});

test('where nothing is old nothing is said, and what is looked for every minute is said in detail only', async () => {
  const { pruner, lines } = prunerOf(pagesOf('jobs', { counts: [0] }), pagesOf('rate_buckets', { counts: [2], everyMs: 60_000 }));
  await pruner.round(never);
  expect(lines).toMatchObject([{ level: 'debug', event: 'rows.pruned', table: 'rate_buckets', count: 2 }]);
});

test('a prune rests until its time has come again', async () => {
  const [rare, frequent] = [pagesOf('jobs', { counts: [0] }), pagesOf('rate_buckets', { counts: [0], everyMs: 0 })];
  const { pruner } = prunerOf(rare, frequent);
  await pruner.round(never);
  await pruner.round(never);
  expect([rare.asked.length, frequent.asked.length]).toEqual([1, 2]);
});

test('one that fails keeps no other from its work, and is tried again at the next round', async () => {
  const [broken, jobs] = [pagesOf('ledger', { counts: [1], onPage: failing(new Error('no such column')) }), pagesOf('jobs', { counts: [1] })];
  const { pruner, lines, told } = prunerOf(broken, jobs);
  await pruner.round(never);
  await pruner.round(never);
  expect(told).toEqual([{ table: 'jobs', count: 1 }]);
  expect([broken.asked.length, jobs.asked.length]).toEqual([2, 1]);
  expect(lines.filter(({ event }) => event === 'rows.prune_failed')).toMatchObject([{ level: 'warn', table: 'ledger' }, { table: 'ledger' }]);
});

test('while the database is away the round ends with one line', async () => {
  const away = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' });
  const [first, second] = [pagesOf('ledger', { counts: [1], onPage: failing(away) }), pagesOf('jobs', { counts: [1] })];
  const { pruner, lines, told } = prunerOf(first, second);
  await pruner.round(never);
  expect(told).toEqual([]);
  expect([first.asked.length, second.asked.length]).toEqual([1, 0]);
  expect(lines).toHaveLength(1);
});

test('a process that stops begins no further page, and no further prune', async () => {
  const stopping = new AbortController();
  const [jobs, next] = [pagesOf('jobs', { counts: [1, 1, 1], onPage: () => stopping.abort() }), pagesOf('ledger', { counts: [1] })];
  const { pruner, told } = prunerOf(jobs, next);
  await pruner.run(stopping.signal);
  expect(told).toEqual([{ table: 'jobs', count: 1 }]);
  expect([jobs.asked.length, next.asked.length]).toEqual([1, 0]);
});
