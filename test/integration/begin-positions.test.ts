import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import { findRecorded } from '../../src/deliveries/dispatch-state.ts';
import { migrate } from '../../src/db/migrate.ts';
import { newId } from '../../src/events/id.ts';
import { beginPositionsAnew } from '../../src/outbox/begin-positions.ts';
import { createTestDatabase, openTestPool } from '../support/database.ts';
import { insertDelivery, insertOutboxRow } from '../support/rows.ts';

const event = () => ({ organizationId: newId('org'), formId: newId('form'), responseId: newId('resp') });

const draw = async (pool: Pool): Promise<number> => {
  const id = await insertOutboxRow(pool, event());
  const { rows } = await pool.query<{ position: number }>('select position::float8 as position from outbox where event_id = $1', [id]);
  return rows[0]?.position ?? Number.NaN;
};

test('a database that was put back draws no position a second time: each start begins beyond what anybody has seen', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  await migrate(database.url);
  expect(await draw(pool)).toBe(1);
  await draw(pool);
  await migrate(database.url);
  const first = await draw(pool);
  expect(first).toBeGreaterThan(1e15);
  expect(Number.isSafeInteger(first * 4)).toBe(true);

  await pool.query(`select setval('outbox_position_seq', 2)`);
  await migrate(database.url);
  const second = await draw(pool);
  expect(second).toBeGreaterThan(first);
  await pool.end();
});

test('nor is a place of deliveries drawn for a second time', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  const drawOne = async (): Promise<number> => {
    const id = await insertDelivery(pool, { ...event(), integrationId: newId('intg') });
    return (await pool.query<{ place: number }>('select recorded_position::float8 as place from deliveries where id = $1', [id])).rows[0]?.place ?? Number.NaN;
  };
  expect(await drawOne()).toBe(1);
  await migrate(database.url);
  const first = await drawOne();
  expect(first).toBeGreaterThan(1e15);
  await pool.query(`select setval('delivery_position_seq', 2)`);
  await migrate(database.url);
  expect(await drawOne()).toBeGreaterThan(first);
  await pool.end();
});

test('positions never go back: not where the clock does, and not where several processes start at once', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  const ahead = 8e15;
  await pool.query(`select setval('outbox_position_seq', $1::bigint)`, [ahead]);
  await beginPositionsAnew(pool);
  expect(await draw(pool)).toBe(ahead + 1);

  await pool.query(`select setval('outbox_position_seq', 2)`);
  const starting = Promise.all(Array.from({ length: 4 }, () => migrate(database.url)));
  const drawn: number[] = [];
  for (let isOver = false; !isOver; ) {
    isOver = await Promise.race([starting.then(() => true), new Promise<boolean>((resolve) => setImmediate(resolve, false))]);
    drawn.push(await draw(pool));
  }
  expect(drawn).toEqual(drawn.toSorted((one, other) => one - other));
  expect(new Set(drawn).size).toBe(drawn.length);
  await pool.end();
});

test('an event is not open because another one stands at its position', async () => {
  await using database = await createTestDatabase();
  const pool = openTestPool(database.url, 1);
  const known = await insertOutboxRow(pool, event());
  const { rows } = await pool.query<{ position: number }>('select position::float8 as position from outbox');
  const position = rows[0]?.position ?? 0;
  const found = await findRecorded(pool, [{ id: known, position }, { id: newId('evt'), position }]);
  expect(found.map(({ isOpen }) => isOpen)).toEqual([true, false]);
  await pool.end();
});
