import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AcceptedEvent } from '../../src/completeness/account.ts';
import { readEventsOfForm } from '../../src/completeness/accepted-events.ts';
import { eventIdOf, newId, type Id } from '../../src/events/id.ts';
import type { ReplayMode } from '../../src/replays/replay-task.ts';
import { sendAgain } from '../../src/replays/send-again.ts';
import { inTransaction } from '../../src/transaction.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { seedForm, type TestForm } from '../support/pipeline.ts';
import { insertDelivery, insertOutboxRow, insertResponse } from '../support/rows.ts';

let database: TestDatabase;
let pool: Pool;
let form: TestForm;
beforeAll(async () => {
  database = await createTestDatabase();
  pool = openTestPool(database.url, 4);
  form = await seedForm(database.url);
});
afterAll(async () => {
  await pool.end();
  await database[Symbol.asyncDispose]();
});

const integrationId = newId('intg');
const respond = async (status?: 'dead' | 'delivered'): Promise<Id<'resp'>> => {
  const responseId = await insertResponse(pool, form);
  if (status) await insertDelivery(pool, { ...form, responseId, integrationId, eventId: eventIdOf(responseId), status });
  return responseId;
};
const look = async (ids: readonly string[]): Promise<AcceptedEvent[]> =>
  (await readEventsOfForm(pool, { formId: form.formId, since: new Date(0), until: new Date(Date.now() + 60_000), after: -9e15, through: 9e15, limit: 100 })).filter(({ responseId }) => ids.includes(responseId));
const send = (events: readonly AcceptedEvent[], mode: ReplayMode = 'everything'): Promise<number> =>
  inTransaction(pool, (client) => sendAgain(client, { events, integrationId, mode, jobId: newId('job'), replayId: newId('rpl') }));
const stateOf = async (responseId: string) => (await pool.query('select status, replayed_from as "from" from deliveries where response_id = $1', [responseId])).rows;

test('what was looked at is sent as it is now: not what was erased, is on its way or is back in the outbox since', async () => {
  const [dead, delivered, nowhere] = [await respond('dead'), await respond('delivered'), await respond()];
  const [erased, erasedNowhere, pending, queued] = [await respond('dead'), await respond(), await respond('dead'), await respond()];
  const events = await look([dead, delivered, nowhere, erased, erasedNowhere, pending, queued]);
  expect(events).toHaveLength(7);
  await pool.query('update responses set erased_at = now() where id = any($1)', [[erased, erasedNowhere]]);
  await pool.query(`update deliveries set status = 'pending' where response_id = $1`, [pending]);
  await insertOutboxRow(pool, { ...form, responseId: queued });
  await pool.query('update outbox set position = $2 where response_id = $1', [queued, events.find(({ responseId }) => responseId === queued)?.position]);

  expect(await send(events)).toBe(3);
  expect([await stateOf(dead), await stateOf(delivered), await stateOf(nowhere)]).toEqual([[{ status: 'pending', from: 'dead' }], [{ status: 'pending', from: 'delivered' }], [{ status: 'pending', from: null }]]);
  expect([await stateOf(erased), await stateOf(erasedNowhere), await stateOf(pending), await stateOf(queued)]).toEqual([[{ status: 'dead', from: null }], [], [{ status: 'pending', from: null }], []]);
  expect(await send(events)).toBe(0);
});

test('of what was missed, what was delivered since is left alone', async () => {
  const response = await respond('dead');
  const events = await look([response]);
  await pool.query(`update deliveries set status = 'delivered' where response_id = $1`, [response]);
  expect(await send(events, 'missed')).toBe(0);
});

test('an erasure that is under way is waited for, and nothing of the response is sent', async () => {
  const response = await respond('dead');
  const events = await look([response]);
  const erasing = await pool.connect();
  await erasing.query('begin');
  await erasing.query('select 1 from responses where id = $1 for update', [response]);
  const sent = send(events);
  await expect.poll(async () => (await pool.query(`select 1 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()`)).rowCount).toBe(1);
  await erasing.query('update responses set erased_at = now() where id = $1', [response]);
  await erasing.query('commit');
  erasing.release();
  expect(await sent).toBe(0);
});
