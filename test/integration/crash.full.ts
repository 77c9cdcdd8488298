import { describe, test } from 'vitest';
import { survivesDeath, survivesDeathInDrain, type Death } from '../support/crash-scenario.ts';

const at = (step: Death['step'], counts: readonly number[]): Death[] => counts.map((count) => ({ step, count }));

describe('a process that is killed', () => {
  test.each([
    ...at('committed', [1, 2, 60, 249, 251, 500]),
    ...at('published', [1, 2, 70, 180, 350, 500]),
    ...at('attempted', [1, 2, 65, 130, 400, 777, 1_000]),
    ...at('recording', [1, 2, 3, 4, 6]),
    ...at('recorded', [1, 2, 3, 4, 6]),
    ...at('acked', [1, 2, 70, 300, 500]),
  ])('at $step $count loses no response, and repeats only what it had sent and not recorded', async (death) => {
    await survivesDeath(death, { responses: 500 });
  });

  test.each(at('attempted', [1, 2, 3, 7, 20, 64, 150, 300, 499]))('in the middle of a backlog, at attempt $count, leaves the rest of it to the next one', async (death) => {
    await survivesDeathInDrain(death, { responses: 500 });
  });
});
