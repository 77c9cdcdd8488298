import path from 'node:path';
import { expect, test } from 'vitest';
import { loadBackup } from '../../src/backup/load-backup.ts';
import { takeBackup } from '../../src/backup/take-backup.ts';
import { migrationNames } from '../../src/db/migrate.ts';
import { runFormwire } from '../support/command.ts';
import { eventIds, hasGotEachOnce } from '../support/crash-scenario.ts';
import { createEmptyDatabase, createTestDatabase } from '../support/database.ts';
import { startLoad, type Load } from '../support/load.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline, tally, waitForTally, withClient, type TestPipeline } from '../support/pipeline.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';
import { createTemporaryDirectory } from '../support/temporary-directory.ts';

const takesMore = (load: Load, count: number): Promise<void> => {
  const target = load.accepted.size + count;
  return expect.poll(() => load.accepted.size, { timeout: 20_000, interval: 10 }).toBeGreaterThanOrEqual(target);
};

const highestPosition = async ({ pool }: TestPipeline): Promise<number> =>
  (await pool.query<{ position: number }>('select max(position)::float8 as position from responses')).rows[0]?.position ?? 0;

/** Of the responses that were not there yet. */
const lowestPosition = async ({ pool }: TestPipeline, known: ReadonlySet<string>): Promise<number> =>
  (await pool.query<{ position: number }>('select min(position)::float8 as position from responses where id <> all($1)', [[...known]])).rows[0]?.position ?? 0;

/** Responses come in all the time: some are delivered, some are pending or in the outbox when the backup is taken. */
async function loadAroundBackup(facts: { databaseUrl: string; natsUrl: string; formId: string; away: Receiver; dir: string }): Promise<{ position: number; waitingAfter: number; lost: Set<string> }> {
  const { databaseUrl, natsUrl, formId, away, dir } = facts;
  await using taking = startPipeline({ databaseUrl, natsUrl, settings: { FORMWIRE_ROLES: 'api,relay' } });
  await using dispatching = startPipeline({ databaseUrl, natsUrl, settings: { FORMWIRE_ROLES: 'dispatcher' } });
  const load = startLoad(taking, { formId, prefix: 'load-', concurrency: 10 });
  await takesMore(load, 150);
  await takeBackup({ databaseUrl, dir, sealingKeys: () => Promise.resolve([]) });
  await load.end();
  away.respond = () => 200;
  const delivered = startLoad(taking, { formId, prefix: 'delivered-', most: 50 });
  await takesMore(delivered, 50);
  await waitForTally(taking.pool, { outbox: 0 });
  // nobody takes these out of the stream: they are still in it when the database knows nothing of them any more
  await dispatching.stop();
  const waitingAfter = await highestPosition(taking);
  const waiting = startLoad(taking, { formId, prefix: 'waiting-', most: 150 });
  await takesMore(waiting, 150);
  await Promise.all([delivered.end(), waiting.end()]);
  return { position: await highestPosition(taking), waitingAfter, lost: await responseIds(databaseUrl) };
}

const responseIds = (databaseUrl: string): Promise<Set<string>> =>
  withClient(databaseUrl, async (client) => new Set((await client.query<{ id: string }>('select id from responses')).rows.map(({ id }) => id)));

/** What requests that came after the restore are about. */
const responsesIn = ({ requests }: Receiver, from: number): Set<string> =>
  new Set(requests.slice(from).map(({ body }) => (JSON.parse(body.toString()) as { data: { response: { id: string } } }).data.response.id));

test.each(['with the stream as it was', 'with an empty stream', 'with positions that are drawn again'] as const)(
  'restored to a moment under load, %s, everything of that moment and since is delivered, and what the database knows nothing of does no harm',
  { timeout: 90_000 },
  async (way) => {
    await using database = await createTestDatabase();
    await using restored = await createEmptyDatabase();
    await using nats = await startTestNats();
    await using prompt = await startReceiver();
    await using away = await startReceiver({ respond: () => 503 });
    using folder = createTemporaryDirectory();
    const dir = path.join(folder.path, 'backup');
    const form = await seedForm(database.url);
    const receivers = [prompt, away];
    const secrets = await Promise.all(receivers.map(async ({ url }) => (await seedWebhook(database.url, { ...form, url })).secret));
    const before = await loadAroundBackup({ databaseUrl: database.url, natsUrl: nats.url, formId: form.formId, away, dir });

    await loadBackup({ databaseUrl: restored.url, dir, known: migrationNames() });
    if (way === 'with an empty stream') {
      await nats.stop();
      nats.wipeStore();
      await nats.start();
    }
    // as after a copy of files on which nothing was started: of all positions, those that are still in the stream
    const isDrawnAgain = way === 'with positions that are drawn again';
    if (isDrawnAgain) await withClient(restored.url, (client) => client.query(`select setval('outbox_position_seq', $1::bigint)`, [before.waitingAfter]));
    const seen = receivers.map(({ requests }) => requests.length);
    const known = await responseIds(restored.url);

    // what is new waits beside what is not known any more, and comes after it
    const servers = { databaseUrl: restored.url, natsUrl: nats.url };
    await using pipeline = startPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'api,relay' } });
    const load = startLoad(pipeline, { formId: form.formId, prefix: 'new-', concurrency: 10, most: 300 });
    await takesMore(load, 300);
    await load.end();
    await using _dispatching = startPipeline({ ...servers, settings: { FORMWIRE_ROLES: 'dispatcher' } });
    expect((await lowestPosition(pipeline, known)) > before.position).toBe(!isDrawnAgain);

    const { responses } = await tally(pipeline.pool);
    expect(responses).toBe(known.size + 300);
    await waitForTally(pipeline.pool, { outbox: 0, delivered: 2 * responses, pending: 0, dead: 0 });
    const orphans = await pipeline.pool.query('select from deliveries d where not exists (select 1 from responses r where r.id = d.response_id)');
    expect(orphans.rowCount).toBe(0);

    const ids = await eventIds(restored.url);
    const present = await responseIds(restored.url);
    for (const [index, receiver] of receivers.entries()) {
      expect(responsesIn(receiver, seen[index] ?? 0).difference(present)).toEqual(new Set());
      const past = [...ids, ...receiver.requests.slice(0, seen[index]).map(({ id }) => id)];
      hasGotEachOnce(receiver, { secret: secrets[index] ?? '', ids: new Set(past) });
    }
    expect(before.lost.difference(known).size).toBeGreaterThanOrEqual(200);

    const reconciled = await runFormwire(['reconcile', '--json'], { DATABASE_URL: restored.url });
    expect(reconciled).toMatchObject({ code: 0, json: { responses, missing: [] } });
  },
);
