import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { startChildPipeline } from './crash.ts';
import { eventIds, hasGotEachOnce } from './crash-scenario.ts';
import { createTestDatabase } from './database.ts';
import { startLoad } from './load.ts';
import { startTestNats } from './nats.ts';
import { seedForm, seedWebhook, startPipeline, waitForTally, withClient, type TestPipeline } from './pipeline.ts';
import { startReceiver, type Behaviour, type ReceivedRequest } from './receiver.ts';

/** Numbers in [0, 1) that a seed decides (mulberry32), so that a run that failed can be had again. */
function seeded(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

const settings = { FORMWIRE_RETRY_SCHEDULE: Array.from({ length: 50 }, () => '60ms').join(','), FORMWIRE_LEASE: '1s', FORMWIRE_SWEEP_AFTER: '500ms', FORMWIRE_DRAIN: '3s' };

/**
 * Takes responses for as long as faults happen, one after the other, drawn by `seed`: dispatchers that are stopped,
 * killed and join, NATS away, integrations paused and resumed; all the while one receiver fails a fifth of its requests,
 * one hangs or resets, and one with an ordered webhook fails now and then. Afterwards every response is delivered to
 * every webhook exactly once by the books, has reached each with the same bytes, and the ordered one in order.
 */
export async function survivesFaults(options: { seed: number; faults: number; leastResponses: number }): Promise<void> {
  const random = seeded(options.seed);
  const badly = (badShare: number, how: readonly Behaviour[]) => (): Behaviour =>
    isCalm || random() >= badShare ? 200 : (how[Math.floor(random() * how.length)] ?? 500);
  let isCalm = false;

  await using database = await createTestDatabase();
  await using nats = await startTestNats();
  await using failing = await startReceiver({ respond: badly(0.2, [500, 503, 404, 429]) });
  await using hanging = await startReceiver({ respond: badly(0.05, ['hang', 'reset', 'reset']) });
  await using ordered = await startReceiver({ respond: badly(0.1, [500, 'reset']) });
  await using pausing = await startReceiver();
  const receivers = [failing, hanging, ordered, pausing];
  const form = await seedForm(database.url);
  const webhooks = await Promise.all(receivers.map((receiver) => seedWebhook(database.url, { ...form, url: receiver.url, ordered: receiver === ordered })));
  const sql = (text: string, values: unknown[] = []) => withClient(database.url, (client) => client.query(text, values));
  await sql(`update integrations set settings = settings || '{"timeoutMs": 1000}'`);

  const servers = { databaseUrl: database.url, natsUrl: nats.url };
  const dispatching = { ...servers, settings: { ...settings, FORMWIRE_ROLES: 'dispatcher' } };
  await using taking = startPipeline({ ...servers, settings: { ...settings, FORMWIRE_ROLES: 'api,relay' } });
  let own: TestPipeline = startPipeline(dispatching);
  const setPaused = async (status: 'paused' | 'active') => {
    await sql('update integrations set status = $2, updated_at = now() where id = $1', [webhooks[3]?.id, status]);
    taking.announceIntegrations(form.organizationId);
  };
  const faults: Record<string, () => Promise<void>> = {
    restart: async () => {
      await own.stop();
      own = startPipeline(dispatching);
    },
    join: async () => {
      await using child = startChildPipeline({ ...servers, settings: dispatching.settings });
      await child.ready;
      await sleep(500 + random() * 1_000);
      child.signal(random() < 0.5 ? 'SIGKILL' : 'SIGTERM');
      await child.ended;
    },
    pause: async () => {
      await setPaused('paused');
      await sleep(random() * 400);
      await setPaused('active');
    },
    disconnect: async () => {
      await nats.stop();
      await sleep(random() * 300);
      await nats.start();
    },
  };

  const load = startLoad(taking, { formId: form.formId, prefix: 'soak-', concurrency: 6, most: 2 * options.leastResponses });
  const names = Object.keys(faults);
  const happened: string[] = [];
  for (let index = 0; index < options.faults; index += 1) {
    const name = names[Math.floor(random() * names.length)] ?? 'restart';
    happened.push(name);
    await faults[name]?.();
    await sleep(random() * 300);
  }
  await expect.poll(() => load.accepted.size, { timeout: 30_000 }).toBeGreaterThanOrEqual(options.leastResponses);
  await load.end();
  isCalm = true;

  const responses = load.accepted.size;
  const expected = { responses, outbox: 0, delivered: 4 * responses, pending: 0, dead: 0, canceled: 0 };
  await waitForTally(taking.pool, expected, 120_000).catch(async (cause: unknown) => {
    const { rows } = await sql(whatIsLeft);
    const state = JSON.stringify(own.dispatcher?.state());
    throw new Error(`seed ${options.seed}, ${happened.join(', ')}; left: ${JSON.stringify(rows)}; webhooks ${JSON.stringify(webhooks.map(({ id }) => id))}; ${state}`, { cause });
  });
  const ids = await eventIds(database.url);
  for (const [index, receiver] of receivers.entries()) hasGotEachOnce(receiver, { secret: webhooks[index]?.secret ?? '', ids });
  await expectOrder(database.url, ordered.requests);
  await own.stop();
}

const whatIsLeft = `
  select integration_id, partition, reason, count(*)::int, next_attempt_at is null as "waits for no time", next_attempt_at < now() as "is due",
         claimed_by, claim_expires_at > now() as "is claimed", max(attempts) as attempts, min(position), max(position)
  from deliveries where status = 'pending'
  group by 1, 2, 3, 5, 6, 7, 8 limit 20`;

/** First arrivals of each form are in the order of their events. */
export async function expectOrder(databaseUrl: string, requests: readonly ReceivedRequest[]): Promise<void> {
  const { rows } = await withClient(databaseUrl, (client) =>
    client.query<{ event_id: string; form_id: string; position: string }>('select distinct event_id, form_id, position from deliveries'),
  );
  const places = new Map(rows.map((row) => [row.event_id, row]));
  const last = new Map<string, number>();
  const inversions: string[] = [];
  for (const { id, attempt } of requests) {
    const place = places.get(id);
    if (!place || attempt > 1) continue;
    if (Number(place.position) < (last.get(place.form_id) ?? 0)) inversions.push(id);
    last.set(place.form_id, Number(place.position));
  }
  expect(inversions).toEqual([]);
}
