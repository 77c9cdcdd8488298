import { describe, expect, test } from 'vitest';
import { createCoalescer, type CoalescerOptions } from '../../src/responses/coalescer.ts';
import { UnavailableError } from '../../src/user-error.ts';

interface Row {
  tenant: string;
  name: string;
  bytes?: number;
}

/** A coalescer whose statements are held up until they are let go, one by one. */
function heldCoalescer(options: Partial<CoalescerOptions<Row, string>> = {}) {
  const batches: string[][] = [];
  const waiting: (() => void)[] = [];
  const coalescer = createCoalescer<Row, string>({
    write: (rows) =>
      new Promise((resolve) => {
        batches.push(rows.map((row) => row.name));
        waiting.push(() => resolve(rows.map((row) => `written ${row.name}`)));
      }),
    tenantOf: (row) => row.tenant,
    bytesOf: (row) => row.bytes ?? 1,
    isPoison: () => true,
    writers: 1,
    maxBatch: { rows: 4, bytes: 1_000 },
    maxQueued: { rows: 100, bytes: 10_000 },
    ...options,
  });
  const turn = () => new Promise((resolve) => setImmediate(resolve));
  const letGo = async () => {
    await turn();
    waiting.shift()?.();
    await turn();
  };
  return { coalescer, batches, letGo };
}

const rows = (tenant: string, count: number): Row[] => Array.from({ length: count }, (_, index) => ({ tenant, name: `${tenant}${index}` }));

describe('responses that come one by one', () => {
  test('are written together while a statement is under way', async () => {
    const { coalescer, batches, letGo } = heldCoalescer();
    const results = [coalescer.add({ tenant: 'a', name: 'first' })];
    await new Promise((resolve) => setImmediate(resolve));
    results.push(...rows('a', 3).map((row) => coalescer.add(row)));
    await letGo();
    await letGo();
    expect(batches).toEqual([['first'], ['a0', 'a1', 'a2']]);
    expect(await Promise.all(results)).toEqual(['written first', 'written a0', 'written a1', 'written a2']);
  });

  test('take turns by tenant: a thousand of one do not come before one of another', async () => {
    const { coalescer, batches, letGo } = heldCoalescer();
    const results = [...rows('a', 6), ...rows('b', 1), ...rows('c', 2)].map((row) => coalescer.add(row));
    for (let round = 0; round < 3; round += 1) await letGo();
    await Promise.all(results);
    expect(batches).toEqual([['a0', 'b0', 'c0', 'a1'], ['c1', 'a2', 'a3', 'a4'], ['a5']]);
  });

  test('of one tenant are in one statement at a time, whatever writers are free', async () => {
    const { coalescer, batches, letGo } = heldCoalescer({ writers: 2 });
    const results = [...rows('a', 5), ...rows('b', 2)].map((row) => coalescer.add(row));
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches).toEqual([['a0', 'b0', 'a1', 'b1']]);
    results.push(coalescer.add({ tenant: 'c', name: 'c0' }));
    await new Promise((resolve) => setImmediate(resolve));
    expect(batches.slice(1)).toEqual([['c0']]);
    for (let round = 0; round < 3; round += 1) await letGo();
    await Promise.all(results);
    expect(batches.slice(2)).toEqual([['a2', 'a3', 'a4']]);
  });

  test('are not gathered beyond a batch’s bytes', async () => {
    const { coalescer, batches, letGo } = heldCoalescer({ maxBatch: { rows: 4, bytes: 10 } });
    const results = ['x', 'y', 'z'].map((name) => coalescer.add({ tenant: 'a', name, bytes: 6 }));
    await letGo();
    await letGo();
    await Promise.all(results);
    expect(batches).toEqual([['x', 'y'], ['z']]);
  });

  test('are refused, not queued without end, when more wait than the bound', async () => {
    const { coalescer, letGo } = heldCoalescer({ maxQueued: { rows: 2, bytes: 10_000 } });
    const kept = rows('a', 2).map((row) => coalescer.add(row));
    await expect(coalescer.add({ tenant: 'a', name: 'third' })).rejects.toBeInstanceOf(UnavailableError);
    await letGo();
    await Promise.all(kept);
  });

  test('fail alone where one is poison, and the others of its batch are written', async () => {
    const coalescer = createCoalescer<Row, string>({
      write: (batch) => (batch.some((row) => row.name === 'a2') ? Promise.reject(new Error('poison')) : Promise.resolve(batch.map((row) => row.name))),
      tenantOf: (row) => row.tenant,
      bytesOf: () => 1,
      isPoison: () => true,
      writers: 1,
      maxBatch: { rows: 100, bytes: 1_000 },
      maxQueued: { rows: 100, bytes: 1_000 },
    });
    const results = await Promise.allSettled(rows('a', 7).map((row) => coalescer.add(row)));
    expect(results.map((result) => (result.status === 'fulfilled' ? result.value : 'failed'))).toEqual(['a0', 'a1', 'failed', 'a3', 'a4', 'a5', 'a6']);
  });

  test('all fail together, without halving, where the database is away', async () => {
    let statements = 0;
    const coalescer = createCoalescer<Row, string>({
      write: () => {
        statements += 1;
        return Promise.reject(new Error('away'));
      },
      tenantOf: (row) => row.tenant,
      bytesOf: () => 1,
      isPoison: () => false,
      writers: 1,
      maxBatch: { rows: 100, bytes: 1_000 },
      maxQueued: { rows: 100, bytes: 1_000 },
    });
    const results = await Promise.allSettled(rows('a', 8).map((row) => coalescer.add(row)));
    expect(results.every((result) => result.status === 'rejected')).toBe(true);
    expect(statements).toBe(1);
  });
});
