import type { Id } from '../events/id.ts';
import type { Log } from '../log.ts';
import { repeat, type Runnable } from '../run.ts';

export interface RedriverOptions {
  /** Makes what is due pending; answers how many of each integration. */
  redrive: () => Promise<Map<Id<'intg'>, number>>;
  log: Log;
}

export interface Redriver extends Runnable {
  /** Looks once. Answers how many deliveries are tried again. */
  step(): Promise<number>;
}

const everyMs = 60_000;

/** Tries dead deliveries again for integrations that want it so. What it makes pending goes the way of all retries. */
export function createRedriver({ redrive, log }: RedriverOptions): Redriver {
  const step = async (): Promise<number> => {
    const counts = await redrive();
    for (const [integrationId, count] of counts) log.info({ integrationId, count }, 'deliveries.redriven');
    return counts.values().reduce((sum, count) => sum + count, 0);
  };
  return {
    name: 'redriver',
    step,
    run: (signal) => repeat({ step: async () => void (await step()), everyMs, onError: (error) => log.warn({ err: error }, 'deliveries.redrive_failed'), signal }),
  };
}
