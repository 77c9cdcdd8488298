import type { Pool } from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Ledger } from '../../integrations/provider.ts';
import { takePlace } from '../../integrations/sms/day-limit.ts';
import { claimMessage, hasOptedOut, noteOptOut, readReceipt } from '../../integrations/sms/receipts.ts';
import { newId, type Id } from '../../src/events/id.ts';
import { openLedger } from '../../src/ledger/ledger.ts';
import { createTestDatabase, openTestPool, type TestDatabase } from '../support/database.ts';
import { receiptEvent, respondentNumber, startReceipts } from '../support/receipts.ts';
import type { LoggedRequest } from '../support/simulators/server.ts';

let database: TestDatabase;
/** As of two processes. */
let pools: Pool[];
beforeAll(async () => {
  database = await createTestDatabase();
  pools = [openTestPool(database.url, 6), openTestPool(database.url, 6)];
});
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.end()));
  await database[Symbol.asyncDispose]();
});

const openLedgers = (integrationId: Id<'intg'> = newId('intg')): Ledger[] => pools.map((pool) => openLedger(pool, integrationId));
const number = respondentNumber;
const now = new Date('2026-11-28T10:00:00Z');

test('however many take places of a number at once, in two processes, it never gets more than it has', async () => {
  const ledgers = openLedgers();
  const takers = Array.from({ length: 24 }, (_, index) => ({ ledger: ledgers[index % 2]!, message: `resp_${index % 12}/1` }));
  const answers = await Promise.all(takers.map(({ ledger, message }) => takePlace(ledger, { number, now, message, limit: 5 })));
  const taken = new Set(takers.filter((_, index) => answers[index] === 'taken').map(({ message }) => message));
  expect(taken.size).toBeLessThanOrEqual(5);
  expect(await takePlace(ledgers[0]!, { number, now, message: [...taken][0]!, limit: 5 })).toBe('taken');
  for (let message = 0; message < 12; message += 1) await takePlace(ledgers[1]!, { number, now, message: `late_${message}/1`, limit: 5 });
  expect(await takePlace(ledgers[0]!, { number, now, message: 'resp_new/1', limit: 5 })).toBe('full');
  expect(await takePlace(ledgers[0]!, { number, now: new Date('2026-11-29T00:00:00Z'), message: 'resp_new/1', limit: 5 })).toBe('taken');
});

test('the highest limit fits into the ledger', async () => {
  const [ledger] = openLedgers();
  const messages = Array.from({ length: 50 }, () => `${newId('resp')}/1`);
  for (const message of messages) expect(await takePlace(ledger!, { number, now, message, limit: 50 })).toBe('taken');
  expect(await takePlace(ledger!, { number, now, message: 'resp_more/1', limit: 50 })).toBe('full');
});

test('a message of Twilio’s is one response’s, whoever claims it at the same time', async () => {
  const ledgers = openLedgers();
  const families = Array.from({ length: 10 }, () => newId('resp'));
  const claims = await Promise.all(families.map((familyId, index) => claimMessage(ledgers[index % 2]!, { sid: 'SM1', familyId })));
  expect(claims.filter(Boolean)).toHaveLength(1);
  const winner = families[claims.indexOf(true)]!;
  expect(await claimMessage(ledgers[0]!, { sid: 'SM1', familyId: winner })).toBe(true);
});

test('an opt-out is known to all processes, for a week', async () => {
  const [one, other] = openLedgers();
  await Promise.all([noteOptOut(one!, { number, now }), noteOptOut(other!, { number, now })]);
  expect(await hasOptedOut(other!, { number, now })).toBe(true);
  expect(await hasOptedOut(other!, { number, now: new Date('2026-12-05T10:00:00Z') })).toBe(false);
});

test('a receipt goes out once, however many processes have its events at the same time', async () => {
  await using at = await startReceipts();
  const ledgers = openLedgers();
  const familyId = newId('resp');
  const events = [receiptEvent({ familyId }), receiptEvent({ familyId, type: 'response.cleared' })];
  const racing = Array.from({ length: 12 }, (_, index) => at.deliver(events[index % 2]!, { ledger: ledgers[index % 2 ^ (index % 3 === 0 ? 1 : 0)]! }));
  await Promise.all(racing);
  expect(at.twilio.requests.filter(({ operation }: LoggedRequest) => operation === 'messages.create')).toHaveLength(1);
  expect(await readReceipt(ledgers[0]!, familyId)).toMatchObject({ status: 'accepted', sid: at.twilio.messages[0]?.sid });
});

test('nothing in the ledger says whom a message went to, or what it said', async () => {
  await using at = await startReceipts({ settings: { template: 'Secret words {{ response.id }}' } });
  const integrationId = newId('intg');
  const [ledger] = openLedgers(integrationId);
  at.twilio.account.optOuts.add('+491709999999');
  await at.deliver(receiptEvent(), { ledger: ledger! });
  await at.deliver(receiptEvent({ mobile: '+491709999999' }), { ledger: ledger! });
  const { rows } = await pools[0]!.query<{ key: string; state: unknown }>('select key, state from ledger where integration_id = $1', [integrationId]);
  expect(rows.length).toBeGreaterThanOrEqual(6);
  for (const text of ['49170', 'Secret words']) expect(JSON.stringify(rows)).not.toContain(text);
});

test('what is noted of a number is forgotten when it says nothing any more, and what is noted of a receipt never', async () => {
  await using at = await startReceipts();
  const integrationId = newId('intg');
  const [ledger] = openLedgers(integrationId);
  await at.deliver(receiptEvent(), { ledger: ledger! });
  await takePlace(ledger!, { number, now, message: 'resp_1/1', limit: 5 });
  await noteOptOut(ledger!, { number, now });
  const { rows } = await pools[0]!.query<{ kind: string; at: Date | null }>(
    `select substring(key from '^(?:day:2026-11-28|\\w+)') as kind, forget_at as at from ledger where integration_id = $1`,
    [integrationId],
  );
  const forgotten = new Map(rows.map((row) => [row.kind, row.at]));
  expect(forgotten.get('receipt')).toBeNull();
  expect(forgotten.get('message')).toBeNull();
  expect(forgotten.get('stop')).toEqual(new Date('2026-12-05T10:00:00Z'));
  expect(forgotten.get('day:2026-11-28')).toEqual(new Date('2026-11-30T00:00:00Z'));
});
