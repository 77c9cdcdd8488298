import { Pool } from 'pg';
import { providerNamed } from '../integrations/index.ts';
import { newId, type Id } from '../src/events/id.ts';
import { silentLog } from '../src/log.ts';
import { changeReplay, startReplay, type ActsBy } from '../src/replays/change-replay.ts';
import { previewReplay } from '../src/replays/preview-replay.ts';
import { mostRate } from '../src/replays/replay-task.ts';
import { testSealer } from '../test/support/sealer.ts';
import { createBacklog } from './backlog.ts';
import { atConstantRate, openPoster, quantilesOf, submitterOf, type Quantiles } from './constant-rate.ts';
import { startFormwire, waitUntilDispatched } from './formwire.ts';
import type { MeasurementOptions } from './measurement.ts';
import { median, range } from './rounds.ts';
import { connectWebhook, createSurvey, singleSubmissions, type Survey } from './survey.ts';
import type { Figure } from './table.ts';
import { startWorker, type Worker } from './workers.ts';
import type { Received } from './workers/receiver.ts';
import { openWorld } from './world.ts';

const perSecond = 100;
const warmUpMs = 2_000;
const deliveredWithinMs = 120_000;

/** Of the receiver that is replayed to, and of another one of the same form. */
interface Latencies {
  same: Quantiles;
  other: Quantiles;
}

/** How long new responses take to their receivers while old ones are replayed to one of these, and without that. */
export async function measureBesideReplay({ extent, profileDir, stack }: MeasurementOptions): Promise<Figure[]> {
  const world = stack.use(await openWorld());
  const databaseUrl = await world.createDatabase('measured');
  const survey = await createSurvey(databaseUrl);
  const [same, other] = [startWorker('receiver'), startWorker('receiver')];
  for (const worker of [same, other]) stack.defer(() => worker.stop());
  const { id: integrationId } = await connectWebhook(databaseUrl, { ...survey, url: await same.ask<string>('listen') });
  await connectWebhook(databaseUrl, { ...survey, url: await other.ask<string>('listen') });
  // enough for a replay that is canceled before its end
  await createBacklog({ databaseUrl, natsUrl: world.natsUrl, ...survey, count: mostRate * (extent.latencyMs / 1_000 + 5) });
  const formwire = stack.use(await startFormwire({ databaseUrl, natsUrl: world.natsUrl, profileDir }));
  const api = openPoster(formwire.url);
  stack.defer(() => api.close());
  await waitUntilDispatched(databaseUrl, deliveredWithinMs);

  const submit = submitterOf(singleSubmissions(survey.formId), api);
  const measure = async (forMs: number): Promise<Latencies> => {
    for (const worker of [same, other]) await worker.ask('reset');
    await atConstantRate({ perSecond, forMs, send: submit });
    await waitUntilDispatched(databaseUrl, deliveredWithinMs);
    return { same: await latenciesOf(same), other: await latenciesOf(other) };
  };
  const replayRates: number[] = [];
  const measureBeside = async (forMs: number): Promise<Latencies> => {
    await using replay = await beginReplay(databaseUrl, { ...survey, integrationId });
    await waitForReplayed(same);
    const from = performance.now();
    const latencies = await measure(forMs);
    const { replayed } = await same.ask<Received>('received');
    replayRates.push((replayed / (performance.now() - from)) * 1_000);
    await replay.cancel();
    return latencies;
  };

  await measure(warmUpMs);
  await measureBeside(warmUpMs);
  replayRates.length = 0;
  const [beside, alone]: [Latencies[], Latencies[]] = [[], []];
  for (let round = 0; round < extent.rounds; round += 1) {
    beside.push(await measureBeside(extent.latencyMs));
    alone.push(await measure(extent.latencyMs));
  }
  const note =
    `beside a replay: ${perSecond} new responses/s at a constant rate, from submittedAt to the receipt by each of the form's two webhooks, while old events are replayed to one of them at `
    + `${mostRate}/s at most (${range(replayRates)}/s in the rounds). Baseline: the same without a replay, in turns.`;
  return (['same', 'other'] as const).flatMap((which) => (['p50', 'p99'] as const).map((name) => ({
    name: `beside a replay, ${which} receiver ${name}`,
    unit: 'ms',
    value: median(beside.map((latencies) => latencies[which][name])),
    baseline: median(alone.map((latencies) => latencies[which][name])),
    goal: which === 'other' ? { kind: 'ratioMost' as const, limit: 1.2 } : { kind: 'most' as const, limit: name === 'p50' ? 10 : 50 },
    peakRssMib: formwire.peakRssMib(),
    note,
  })));
}

const latenciesOf = async (receiver: Worker): Promise<Quantiles> => quantilesOf((await receiver.ask<Received>('received')).latenciesMs);

/** Until it goes at its pace. */
async function waitForReplayed(receiver: Worker): Promise<void> {
  await receiver.ask('reset');
  for (const giveUpAt = Date.now() + deliveredWithinMs; (await receiver.ask<Received>('received')).replayed < mostRate;) {
    if (Date.now() > giveUpAt) throw new Error('The replay sends nothing.');
  }
}

const acts: ActsBy = { by: 'operator', userId: null };

/** Replays all the form's events to an integration, as quickly as a replay may. */
async function beginReplay(databaseUrl: string, { formId, integrationId }: Survey & { integrationId: Id<'intg'> }): Promise<AsyncDisposable & { cancel(): Promise<void> }> {
  const pool = new Pool({ connectionString: databaseUrl, max: 1 });
  const replayId = newId('rpl');
  const deps = { pool, reads: pool, providerNamed, sealer: testSealer, log: silentLog };
  const plan = await previewReplay(deps, { reach: { kind: 'installation' }, request: { formId, integrationIds: [integrationId], since: new Date(0), mode: 'everything', rate: mostRate }, now: new Date() });
  await startReplay(pool, { previewed: { ...plan, replayId, expiresAt: 0 }, sendSms: false, acts });
  return {
    cancel: () => changeReplay(pool, { replayId, change: 'canceled', acts }),
    [Symbol.asyncDispose]: () => pool.end(),
  };
}
