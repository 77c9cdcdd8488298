import { startFormwire, waitUntilDispatched } from './formwire.ts';
import { openHttpLoad } from './http-load.ts';
import type { MeasurementOptions } from './measurement.ts';
import { createRequests } from './requests.ts';
import { interleave, range } from './rounds.ts';
import { createSurvey, singleSubmissions } from './survey.ts';
import type { Figure } from './table.ts';
import { startWorker } from './workers.ts';
import { openWorld } from './world.ts';

const connections = 32;
const dispatchedWithinMs = 120_000;
const isGood = (body: Buffer): boolean => body.includes('"id":"resp_');

/** Responses a second, one in a request, by the whole product and by a bare server with the same statement. */
export async function measureSubmit({ extent, profileDir, stack }: MeasurementOptions): Promise<Figure[]> {
  const world = stack.use(await openWorld());
  const [databaseUrl, bareDatabaseUrl] = [await world.createDatabase('measured'), await world.createDatabase('bare')];
  const [survey, bareSurvey] = [await createSurvey(databaseUrl), await createSurvey(bareDatabaseUrl)];

  const formwire = stack.use(await startFormwire({ databaseUrl, natsUrl: world.natsUrl, profileDir }));
  const load = await openHttpLoad({ url: formwire.url, connections, requests: createRequests(formwire.url, singleSubmissions(survey.formId)), isGood });
  stack.defer(() => load.close());

  const bare = startWorker('bare-server');
  stack.defer(() => bare.stop());
  const bareUrl = await bare.ask<string>('listen', { databaseUrl: bareDatabaseUrl, survey: bareSurvey });
  const bareLoad = await openHttpLoad({ url: bareUrl, connections, requests: createRequests(bareUrl, singleSubmissions(bareSurvey.formId)), isGood });
  stack.defer(() => bareLoad.close());

  const { value, baseline, ratios } = await interleave({
    rounds: extent.rounds,
    measure: async () => {
      const rate = await load.rate(extent);
      await waitUntilDispatched(databaseUrl, dispatchedWithinMs);
      return rate;
    },
    measureBaseline: () => bareLoad.rate(extent),
  });
  return [
    {
      name: 'submit',
      unit: 'responses/s',
      value,
      baseline,
      goal: { kind: 'ratio', limit: 0.5 },
      peakRssMib: formwire.peakRssMib(),
      note:
        `submit: one household response a POST /graphql, ${connections} connections. Formwire with all its roles in one process, so that it publishes and `
        + 'dispatches what it accepts at the same time (no integration). Baseline: node:http that parses the same bodies and writes them by the same coalesced '
        + `statement, and nothing else. Ratios of the rounds: ${range(ratios)}.`,
    },
  ];
}
