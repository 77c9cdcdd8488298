import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { eventIds, hasGotEachOnce } from '../support/crash-scenario.ts';
import { createTestDatabase } from '../support/database.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { startReceiver } from '../support/receiver.ts';

describe('a dispatcher that is stopped', () => {
  test('waits for retries under way, and nobody gets them again', async () => {
    await using database = await createTestDatabase();
    await using nats = await startTestNats();
    const slowly = async () => {
      await sleep(400);
      return 200;
    };
    await using receiver = await startReceiver({ respond: ({ attempt }) => (attempt === 1 ? 500 : slowly()) });
    const form = await seedForm(database.url);
    const { secret } = await seedWebhook(database.url, { ...form, url: receiver.url });
    const settings = { FORMWIRE_BREAKER_FAILURES: '1000' };
    await using first = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings });
    await submitHousehold(first, { formId: form.formId, count: 100 });
    await receiver.waitFor((requests) => requests.some(({ attempt }) => attempt === 2));

    await first.stop();
    await using second = startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings });
    await waitForTally(second.pool, { outbox: 0, delivered: 100, pending: 0, attempts: 200 });

    hasGotEachOnce(receiver, { secret, ids: await eventIds(database.url) });
    expect(receiver.requests).toHaveLength(200);
  });
});
