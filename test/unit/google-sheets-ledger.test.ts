import { describe, expect, test } from 'vitest';
import { isClosed, readClosing, whileClosed } from '../../integrations/google-sheets/closing.ts';
import { erasedRank, type EventRow } from '../../integrations/google-sheets/event-row.ts';
import { knownRank, newestOf, noteRanks } from '../../integrations/google-sheets/family-state.ts';
import { maxParts, noteParts, readParts } from '../../integrations/google-sheets/parts-ledger.ts';
import { createMemoryLedger } from '../support/ledger.ts';
import { createManualClock } from '../support/simulators/clock.ts';

const row = (familyId: string, rank: number): EventRow => ({ familyId, rank, formVersion: 1, row: { cells: new Map(), cut: [] }, cut: [] });

describe('what is known of a response', () => {
  test('is noted above its first revision only, and erasing is above all', async () => {
    const ledger = createMemoryLedger();
    const rows = [row('one', 1), row('two', 2), row('gone', erasedRank)];
    expect(await noteRanks(ledger, rows, new Map())).toEqual(new Set());
    const known = await ledger.read(['one', 'two', 'gone']);
    expect([...known.keys()].toSorted()).toEqual(['gone', 'two']);
    expect(['one', 'two', 'gone'].map((key) => knownRank(known.get(key)))).toEqual([0, 2, erasedRank]);
  });

  test('that another process noted meanwhile is left to be looked at again', async () => {
    const ledger = createMemoryLedger();
    const known = await ledger.read(['two']);
    await noteRanks(ledger, [row('two', 3)], new Map());
    expect(await noteRanks(ledger, [row('two', 2)], known)).toEqual(new Set(['two']));
    expect(knownRank((await ledger.read(['two'])).get('two'))).toBe(3);
  });

  test('in one batch is the highest revision, and of equal ones the later', () => {
    const [late, early] = [row('a', 2), row('a', 2)];
    expect(newestOf([row('a', 1), early, late, row('b', 1)])).toEqual(new Map([['a', late], ['b', row('b', 1)]]));
    expect(newestOf([early, late]).get('a')).toBe(late);
    expect(newestOf([row('a', erasedRank), row('a', 5)]).get('a')?.rank).toBe(erasedRank);
  });
});

describe('a closed sheet', () => {
  test('is closed to others until what closed it is done, and tells that it was', async () => {
    const [ledger, { now }] = [createMemoryLedger(), createManualClock()];
    const before = await readClosing(ledger);
    const inside = await whileClosed({ ledger, now }, async () => [isClosed(await readClosing(ledger), now()), await whileClosed({ ledger, now }, async () => 'second')]);
    expect(inside).toEqual([true, undefined]);
    const after = await readClosing(ledger);
    expect([isClosed(before, now()), isClosed(after, now()), after.count - before.count]).toEqual([false, false, 1]);
  });

  test('opens again where that fails, or dies', async () => {
    const [ledger, clock] = [createMemoryLedger(), createManualClock()];
    await expect(whileClosed({ ledger, now: clock.now }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(isClosed(await readClosing(ledger), clock.now())).toBe(false);
    await ledger.note([{ key: 'closing', state: { count: 2, until: clock.now().getTime() + 1_000 }, was: { count: 1, until: null } }]);
    expect(await whileClosed({ ledger, now: clock.now }, async () => 'mine')).toBeUndefined();
    clock.advance(1_000);
    expect(await whileClosed({ ledger, now: clock.now }, async () => 'mine')).toBe('mine');
  });
});

test('of two processes that make the same part, one notes its own', async () => {
  const ledger = createMemoryLedger();
  expect(await noteParts(ledger, [], { spreadsheetId: 'mine', firstPosition: 0 })).toBe(true);
  expect(await noteParts(ledger, [], { spreadsheetId: 'theirs', firstPosition: 0 })).toBe(false);
  expect(await readParts(ledger)).toEqual([{ spreadsheetId: 'mine', firstPosition: 0 }]);
});

test('as many parts as there may be fit into a state of the ledger', () => {
  const parts = Array.from({ length: maxParts }, () => ({ spreadsheetId: 'x'.repeat(44), firstPosition: 99_999_999 }));
  expect(JSON.stringify(parts).length).toBeLessThan(4_096);
});
