import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { createTestDatabase } from '../support/database.ts';
import { householdInputs } from '../support/household-inputs.ts';
import { startTestNats } from '../support/nats.ts';
import { seedForm, seedWebhook, startPipeline } from '../support/pipeline.ts';
import { startReceiver, type Receiver } from '../support/receiver.ts';

const rounds = 5;
const responsesInRound = 150;
const everyMs = 5;

const median = (values: readonly number[]): number => values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
const percentile = (values: readonly number[], share: number): number => values.toSorted((one, other) => one - other)[Math.floor(values.length * share)] ?? 0;

/** A system of its own with a healthy receiver, and perhaps one that never answers beside it. */
async function begin(besideAHangingOne: boolean) {
  const stack = new AsyncDisposableStack();
  const database = stack.use(await createTestDatabase());
  const nats = stack.use(await startTestNats());
  const healthy = stack.use(await startReceiver());
  const hanging = stack.use(await startReceiver({ respond: () => 'hang' }));
  const form = await seedForm(database.url);
  await seedWebhook(database.url, { ...form, url: healthy.url });
  if (besideAHangingOne) await seedWebhook(database.url, { ...form, url: hanging.url });
  const pipeline = stack.use(startPipeline({ databaseUrl: database.url, natsUrl: nats.url, settings: { FORMWIRE_DRAIN: '100ms', FORMWIRE_SPILL_AFTER: '1s' } }));
  /** Times from a response's acceptance to its arrival at the healthy receiver, in milliseconds. */
  const latencies = async (round: number): Promise<number[]> => {
    const [accepted, before] = [new Map<string, number>(), healthy.requests.length];
    const inputs = householdInputs({ formId: form.formId, count: responsesInRound, prefix: `${round}-` });
    const submissions = inputs.map(async (input, index) => {
      await sleep(index * everyMs);
      const { id } = await pipeline.submitter.submit(input);
      accepted.set(id, Date.now());
    });
    await Promise.all(submissions);
    const requests = await arrivals(healthy, before);
    return requests.map(({ body, receivedAt }) => receivedAt.getTime() - (accepted.get(responseIdIn(body)) ?? 0));
  };
  return { latencies, [Symbol.asyncDispose]: () => stack.disposeAsync() };
}

const arrivals = async (receiver: Receiver, before: number) => (await receiver.waitFor(before + responsesInRound, 30_000)).slice(before);
const responseIdIn = (body: Buffer): string => /resp_[0-9a-z]{26}/.exec(body.toString())?.[0] ?? '';

test('responses reach a healthy receiver as soon beside one that hangs as without it', { timeout: 120_000 }, async () => {
  await using alone = await begin(false);
  await using beside = await begin(true);
  const ratios: number[] = [];
  for (let round = 0; round <= rounds; round += 1) {
    // at the same time, so that what else this machine does slows down both
    const [without, withOne] = await Promise.all([alone.latencies(round), beside.latencies(round)]);
    if (round > 0) ratios.push((percentile(withOne, 0.99) + 1) / (percentile(without, 0.99) + 1)); // the first warms up
  }
  // I5 says 1.2; half of a short run is noise, and the benchmark measures longer
  expect(median(ratios)).toBeLessThan(1.5);
});
