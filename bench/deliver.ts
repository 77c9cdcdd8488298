import { createBacklog } from './backlog.ts';
import { startFormwire, waitUntilDispatched } from './formwire.ts';
import type { MeasurementOptions } from './measurement.ts';
import { interleave, range } from './rounds.ts';
import { connectWebhook, createSurvey } from './survey.ts';
import type { Figure } from './table.ts';
import { startWorker } from './workers.ts';
import type { Received } from './workers/receiver.ts';
import { openWorld, withClient } from './world.ts';

/** The webhook provider's own limit for one receiver. */
const concurrency = 64;
const deliveredWithinMs = 180_000;

/** Deliveries a second of a backlog, sent and recorded, and posts a second of a loop that only signs and sends. */
export async function measureDeliver({ extent, profileDir, stack }: MeasurementOptions): Promise<Figure[]> {
  const world = stack.use(await openWorld());
  const databaseUrl = await world.createDatabase('measured');
  const survey = await createSurvey(databaseUrl);
  const receiver = startWorker('receiver');
  stack.defer(() => receiver.stop());
  const url = await receiver.ask<string>('listen');
  const { secret } = await connectWebhook(databaseUrl, { ...survey, url });

  const count = extent.backlog;
  let bodies: string[] = [];
  let peakRssMib: number | undefined;
  const measure = async (): Promise<number> => {
    bodies = await createBacklog({ databaseUrl, natsUrl: world.natsUrl, ...survey, count });
    await receiver.ask('reset');
    await using formwire = await startFormwire({ databaseUrl, natsUrl: world.natsUrl, profileDir });
    await waitUntilDispatched(databaseUrl, deliveredWithinMs);
    await waitUntilDelivered(databaseUrl);
    const recordedAt = performance.timeOrigin + performance.now();
    const received = await receiver.ask<Received>('received');
    if (received.count < count) throw new Error(`Only ${received.count} of ${count} came in.`);
    peakRssMib = Math.max(peakRssMib ?? 0, formwire.peakRssMib() ?? 0) || undefined;
    return (count / (recordedAt - received.firstAt)) * 1_000;
  };
  const { value, baseline, ratios } = await interleave({
    rounds: extent.rounds,
    measure,
    measureBaseline: async () => {
      const sender = startWorker('bare-sender'); // a new one each time: the dispatcher too has to compile while it delivers
      try {
        return await sender.ask<number>('send', { url, secret, bodies, count, concurrency });
      } finally {
        await sender.stop();
      }
    },
  });
  return [
    {
      name: 'deliver',
      unit: 'deliveries/s',
      value,
      baseline,
      goal: { kind: 'ratio', limit: 0.4 },
      peakRssMib,
      note:
        `deliver: a backlog of ${count.toLocaleString('en')} events of one form, in the stream before the dispatcher starts, to one receiver; from the first receipt until `
        + `every delivery is recorded and the outbox empty. Baseline: a loop that signs and posts the same bodies with undici, ${concurrency} at a time. Both in a process begun for the round. `
        + `Ratios of the rounds: ${range(ratios)}.`,
    },
  ];
}

/** What was spilled on the way is delivered later than its outbox row goes. */
async function waitUntilDelivered(databaseUrl: string): Promise<void> {
  await withClient(databaseUrl, async (client) => {
    for (const giveUpAt = Date.now() + deliveredWithinMs; Date.now() < giveUpAt; ) {
      const { rows } = await client.query<{ isDone: boolean }>(`select not exists (select 1 from deliveries where status = 'pending') as "isDone"`);
      if (rows[0]?.isDone) return;
    }
    throw new Error(`Deliveries are pending after ${deliveredWithinMs / 1_000} s.`);
  });
}
