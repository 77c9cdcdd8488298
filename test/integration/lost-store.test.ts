import { expect, test } from 'vitest';
import { runFormwire } from '../support/command.ts';
import { eventIds, hasGotEachOnce } from '../support/crash-scenario.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally, type TestPipeline } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

const [attempted, waiting] = [200, 3_000];

/** So that nothing is given up on before the receiver is back. */
const patient = Array(40).fill('1s').join();

const countPublished = async ({ pool }: TestPipeline): Promise<number> =>
  (await pool.query<{ count: number }>('select count(*)::int as count from outbox where published_sequence is not null')).rows[0]?.count ?? 0;

test('JetStream’s disk is lost with thousands of events on it that nobody has got yet: on an empty one each is delivered, and nothing is missing', { timeout: 120_000 }, async () => {
  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using prompt = await startReceiver();
  await using away = await startReceiver({ respond: () => 503 });
  const receivers = [prompt, away];
  const form = await seedForm(database.url);
  const secrets = await Promise.all(receivers.map(async ({ url }) => (await seedWebhook(database.url, { ...form, url })).secret));
  const open = (roles: string) => startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_ROLES: roles, FORMWIRE_LEASE: '20s', FORMWIRE_RETRY_SCHEDULE: patient } });
  {
    await using taking = open('api,relay');
    {
      await using _dispatching = open('dispatcher');
      await submitHousehold(taking, { formId: form.formId, count: attempted });
      await waitForTally(taking.pool, { outbox: 0, delivered: attempted, pending: attempted });
    }
    await submitHousehold(taking, { formId: form.formId, count: waiting, prefix: 'waiting-' });
    await expect.poll(() => countPublished(taking), { timeout: 20_000 }).toBe(waiting);
  }
  await nats.stop();
  nats.wipeStore();
  await nats.start();
  away.respond = () => 200;

  await using all = open('api,relay,dispatcher');
  const responses = attempted + waiting;
  await waitForTally(all.pool, { responses, outbox: 0, delivered: 2 * responses, pending: 0, dead: 0 }, 60_000);
  const ids = await eventIds(database.url);
  expect(hasGotEachOnce(prompt, { secret: secrets[0] ?? '', ids })).toBe(0);
  hasGotEachOnce(away, { secret: secrets[1] ?? '', ids });
  const reconciled = await runFormwire(['reconcile', '--json'], { DATABASE_URL: database.url });
  expect(reconciled).toMatchObject({ code: 0, json: { responses, missing: [] } });
});
