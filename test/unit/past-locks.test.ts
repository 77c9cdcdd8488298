import type { ClientBase } from 'pg';
import { expect, test } from 'vitest';
import { pastLocks } from '../../src/db/past-locks.ts';

const nobody = { query: () => Promise.resolve({ rows: [] }) } as unknown as ClientBase;
const bounds = { lockTimeoutMs: 1, pauseMs: 1, tries: 3 };

/** What came of a transaction that fails with these codes of PostgreSQL one after the other, and in how many tries. */
async function cameOf(codes: readonly string[]): Promise<{ tries: number; error?: unknown }> {
  let tries = 0;
  const work = async (): Promise<void> => {
    const code = codes[tries];
    tries += 1;
    if (code !== undefined) throw Object.assign(new Error(code), { code });
  };
  const error = await pastLocks(work, { client: nobody, bounds, onBlocked: () => undefined }).catch((cause: unknown) => cause);
  return error === undefined ? { tries } : { tries, error };
}

test('a transaction is repeated whose lock was not to be had, or that PostgreSQL ended since two waited for each other', async () => {
  expect(await cameOf(['55P03', '40P01'])).toEqual({ tries: 3 });
});

test('it is not repeated for ever, nor where anything else is wrong', async () => {
  expect(await cameOf(['40P01', '40P01', '40P01'])).toEqual({ tries: 3, error: expect.objectContaining({ message: expect.stringContaining('The database was not migrated: in 3 tries') }) });
  expect(await cameOf(['42P07'])).toEqual({ tries: 1, error: expect.objectContaining({ code: '42P07' }) });
});
