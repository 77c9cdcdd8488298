import { atConstantRate, openPoster, quantilesOf, submitterOf, type Quantiles } from './constant-rate.ts';
import { startFormwire, waitUntilDispatched } from './formwire.ts';
import type { MeasurementOptions } from './measurement.ts';
import { median } from './rounds.ts';
import { connectWebhook, createSurvey, singleSubmissions } from './survey.ts';
import type { Figure } from './table.ts';
import { startWorker } from './workers.ts';
import type { Received } from './workers/receiver.ts';
import { openWorld } from './world.ts';

const perSecond = 200;
const warmUpMs = 2_000;
const deliveredWithinMs = 30_000;

/** How long a response takes from its acceptance to its receiver under a constant load, and a bare post of the same size. */
export async function measureLatency({ extent, profileDir, stack }: MeasurementOptions): Promise<Figure[]> {
  const world = stack.use(await openWorld());
  const databaseUrl = await world.createDatabase('measured');
  const survey = await createSurvey(databaseUrl);
  const receiver = startWorker('receiver');
  stack.defer(() => receiver.stop());
  const url = await receiver.ask<string>('listen');
  await connectWebhook(databaseUrl, { ...survey, url });
  const formwire = stack.use(await startFormwire({ databaseUrl, natsUrl: world.natsUrl, profileDir }));
  const api = openPoster(formwire.url);
  stack.defer(() => api.close());
  const direct = openPoster(url);
  stack.defer(() => direct.close());

  const bodies = singleSubmissions(survey.formId);
  const submit = submitterOf(bodies, api);
  const submitFor = async (forMs: number): Promise<Quantiles> => {
    await receiver.ask('reset');
    await atConstantRate({ perSecond, forMs, send: submit });
    await waitUntilDispatched(databaseUrl, deliveredWithinMs);
    return quantilesOf((await receiver.ask<Received>('received')).latenciesMs);
  };
  const postFor = async (forMs: number): Promise<Quantiles> => {
    const latencies: number[] = [];
    await atConstantRate({
      perSecond,
      forMs,
      send: async () => {
        const from = performance.now();
        await direct.post(bodies[latencies.length % bodies.length] ?? '');
        latencies.push(performance.now() - from);
      },
    });
    return quantilesOf(latencies);
  };

  await submitFor(warmUpMs);
  await postFor(warmUpMs / 4);
  const measured: Quantiles[] = [];
  const bare: Quantiles[] = [];
  for (let round = 0; round < extent.rounds; round += 1) {
    measured.push(await submitFor(extent.latencyMs));
    bare.push(await postFor(extent.latencyMs / 2));
  }
  const note =
    `latency: ${perSecond} responses/s at a constant rate, one a POST /graphql, each answered only after its commit. From submittedAt, which is stamped before the commit, to `
    + 'the receipt of the webhook, so the commit is in it. Baseline: the round trip of a post of the same size straight to the receiver, at the same rate.';
  return (['p50', 'p99'] as const).map((name) => ({
    name: `latency ${name}`,
    unit: 'ms',
    value: median(measured.map((quantiles) => quantiles[name])),
    baseline: median(bare.map((quantiles) => quantiles[name])),
    goal: { kind: 'most', limit: name === 'p50' ? 10 : 50 },
    peakRssMib: formwire.peakRssMib(),
    note,
  }));
}
