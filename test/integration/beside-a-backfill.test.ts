import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test, vi } from 'vitest';
import type { Id } from '../../src/events/id.ts';
import { startFakeProduct, type FakeProduct } from '../support/fake-product.ts';
import { service } from '../support/fake-provider.ts';

vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

const old = 5_000;
const rounds = 5;
const liveInRound = 60;
const everyMs = 10;
/** What a receiver takes. */
const callMs = 5;

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;

/** When each response was delivered first. */
function noteArrivals() {
  const times = new Map<string, PromiseWithResolvers<number>>();
  const entryOf = (id: string): PromiseWithResolvers<number> => {
    const entry = times.get(id) ?? Promise.withResolvers<number>();
    times.set(id, entry);
    return entry;
  };
  return { note: (id: string) => entryOf(id).resolve(performance.now()), of: (id: string) => entryOf(id).promise, count: () => times.size };
}
type Arrivals = ReturnType<typeof noteArrivals>;

/** Times from a response's acceptance to its delivery, in milliseconds. */
async function latencies(product: FakeProduct, { formId, arrivals }: { formId: Id<'form'>; arrivals: Arrivals }): Promise<number[]> {
  const measured = Array.from({ length: liveInRound }, async (_, index) => {
    await sleep(index * everyMs);
    const { id } = await product.pipeline.submitter.submit({ formId, answers: [{ key: 'age', value: index }] });
    const accepted = performance.now();
    return Math.max(0, (await arrivals.of(id)) - accepted);
  });
  return Promise.all(measured);
}

test('live deliveries go out as soon during a backfill as before and after it', { timeout: 120_000 }, async () => {
  await using product = await startFakeProduct();
  const arrivals = noteArrivals();
  service.deliver = async ({ event }) => {
    arrivals.note(event.responseId);
    await sleep(callMs);
    return { status: 'delivered' };
  };
  const formId = await product.newForm();
  for (let batch = 0; batch < old / 1_000; batch += 1) await product.submit(formId, 1_000);
  const id = await product.connect(formId);
  await product.finished(id, 'connect');

  const alone = async (): Promise<number> => {
    const measured: number[] = [];
    for (let round = 0; round < rounds; round += 1) measured.push(...(await latencies(product, { formId, arrivals })));
    return median(measured);
  };
  const before = await alone();
  await product.run('startBackfill', { integrationId: id }, 'job { id }');
  await vi.waitUntil(() => arrivals.count() > rounds * liveInRound + 200, { timeout: 20_000 });
  const during: number[] = [];
  const isUnderWay = async (): Promise<boolean> => (await product.jobs(id, 'backfill')).some(({ status }) => status === 'running');
  while (during.length < rounds * liveInRound && (await isUnderWay())) during.push(...(await latencies(product, { formId, arrivals })));

  expect(during.length).toBeGreaterThanOrEqual(liveInRound);
  expect(await product.finished(id, 'backfill')).toMatchObject({ status: 'done' });
  // whatever else has come to use the machine meanwhile slows these down too
  const after = await alone();
  // what is within a few milliseconds is the same
  expect((median(during) + callMs) / (Math.max(before, after) + callMs)).toBeLessThan(2);
  expect(new Set(service.delivered.map(({ event }) => event.responseId)).size).toBe(service.delivered.length);
});
