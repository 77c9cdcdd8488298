import { describe, test } from 'vitest';
import { survivesDeath, survivesDeathInDrain, type Death } from '../support/crash-scenario.ts';

/** One death at each point; `npm run test:crash` tries many more. */
const deaths: (Death & { when: string })[] = [
  { when: 'after the commit, before publishing', step: 'committed', count: 130 },
  { when: 'after publishing', step: 'published', count: 90 },
  { when: 'after a receiver answered, before the record', step: 'attempted', count: 150 },
  { when: 'while it records', step: 'recording', count: 3 },
  { when: 'after the record, before the ack', step: 'recorded', count: 2 },
  { when: 'after an ack', step: 'acked', count: 120 },
];

describe('a process that is killed', () => {
  test.each(deaths)('$when loses no response, and repeats only what it had sent and not recorded', { timeout: 60_000 }, async (death) => {
    await survivesDeath(death, { responses: 300 });
  });

  test.each<Death>([
    { step: 'attempted', count: 40 },
    { step: 'attempted', count: 200 },
  ])('in the middle of a backlog ($step, $count) leaves the rest of it to the next one', { timeout: 60_000 }, async (death) => {
    await survivesDeathInDrain(death, { responses: 300 });
  });
});
