import { startFormwire, waitUntilDispatched } from './formwire.ts';
import { openHttpLoad } from './http-load.ts';
import type { MeasurementOptions } from './measurement.ts';
import { createRequests } from './requests.ts';
import { interleave, range } from './rounds.ts';
import { bulkSubmission, createSurvey } from './survey.ts';
import type { Figure } from './table.ts';
import { startWorker } from './workers.ts';
import { openWorld } from './world.ts';

const perRequest = 500;
const connections = 4;
const baselineClients = 32;
const dispatchedWithinMs = 120_000;
const isGood = (body: Buffer): boolean => body.includes('"id":"resp_') && !body.includes('"code"');

/** Responses a second in requests of 500, and rows a second inserted one by one straight into PostgreSQL. */
export async function measureBulk({ extent, profileDir, stack }: MeasurementOptions): Promise<Figure[]> {
  const world = stack.use(await openWorld());
  const [databaseUrl, bareDatabaseUrl] = [await world.createDatabase('measured'), await world.createDatabase('bare')];
  const [survey, bareSurvey] = [await createSurvey(databaseUrl), await createSurvey(bareDatabaseUrl)];

  const formwire = stack.use(await startFormwire({ databaseUrl, natsUrl: world.natsUrl, profileDir }));
  const load = await openHttpLoad({ url: formwire.url, connections, requests: createRequests(formwire.url, [bulkSubmission(survey.formId)]), isGood });
  stack.defer(() => load.close());
  const inserter = startWorker('single-inserts');
  stack.defer(() => inserter.stop());

  const { value, baseline, ratios } = await interleave({
    rounds: extent.rounds,
    measure: async () => {
      const rate = await load.rate(extent);
      await waitUntilDispatched(databaseUrl, dispatchedWithinMs);
      return rate * perRequest;
    },
    measureBaseline: () => inserter.ask<number>('insert', { databaseUrl: bareDatabaseUrl, survey: bareSurvey, clients: baselineClients, ...extent }),
  });
  return [
    {
      name: 'submit in bulk',
      unit: 'responses/s',
      value,
      baseline,
      goal: { kind: 'ratio', limit: 1.5 },
      peakRssMib: formwire.peakRssMib(),
      note:
        `submit in bulk: submitResponses of ${perRequest}, ${connections} connections, roles as above. Baseline: one response and its outbox row in one prepared `
        + `statement and one commit, ${baselineClients} clients, without HTTP. Ratios of the rounds: ${range(ratios)}.`,
    },
  ];
}
