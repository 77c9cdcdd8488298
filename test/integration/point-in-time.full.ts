import { expect, test } from 'vitest';
import { migrate } from '../../src/db/migrate.ts';
import { startArchivedPostgres } from '../support/archived-postgres.ts';
import { runFormwire } from '../support/command.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, submitHousehold, waitForTally } from '../support/pipeline.ts';
import { responsesOf } from '../support/deaths.ts';
import { startReceiver } from '../support/receiver.ts';

/** So that nothing is given up on before the receiver is back. */
const patient = Array(40).fill('1s').join();

test('PostgreSQL is brought back to a moment by its archive: what came until then is delivered, what came after is forgotten, and nothing is missing', { timeout: 120_000 }, async () => {
  await using postgres = await startArchivedPostgres();
  await using nats = await startTestNats();
  await using prompt = await startReceiver();
  await using away = await startReceiver({ respond: () => 503 });
  await migrate(postgres.url);
  const form = await seedForm(postgres.url);
  for (const { url } of [prompt, away]) await seedWebhook(postgres.url, { ...form, url });
  const open = (databaseUrl: string) => startPipeline({ databaseUrl, natsUrl: nats.url, settings: { FORMWIRE_RETRY_SCHEDULE: patient } });
  const kept: string[] = [];
  const lost: string[] = [];
  let time = '';
  {
    await using pipeline = open(postgres.url);
    const submit = (prefix: string) => submitHousehold(pipeline, { formId: form.formId, count: 100, prefix });
    kept.push(...(await submit('before-')));
    await postgres.baseBackup();
    kept.push(...(await submit('between-')));
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 200, pending: 200 });
    time = await postgres.now();
    lost.push(...(await submit('after-')));
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 300 });
  }
  const recovered = await postgres.recoveredTo(time);
  const seen = away.requests.length;
  away.respond = () => 200;
  await using pipeline = open(recovered.url);
  await migrate(recovered.url);
  const fresh = await submitHousehold(pipeline, { formId: form.formId, count: 100, prefix: 'fresh-' });
  await waitForTally(pipeline.pool, { responses: 300, outbox: 0, delivered: 600, pending: 0, dead: 0 }, 60_000);
  const got = new Set(responsesOf(away.requests.slice(seen)));
  expect(got).toEqual(new Set([...kept, ...fresh]));
  expect(lost.filter((id) => got.has(id))).toEqual([]);
  expect(await runFormwire(['reconcile', '--json'], { DATABASE_URL: recovered.url })).toMatchObject({ code: 0, json: { responses: 300, missing: [] } });
  const { json } = await runFormwire(['doctor', '--json'], { DATABASE_URL: recovered.url, NATS_URL: nats.url });
  expect(json).toContainEqual(expect.objectContaining({ check: 'schema', state: 'sound' }));
  expect(json).toContainEqual(expect.objectContaining({ check: 'PostgreSQL', state: 'sound' }));
});
