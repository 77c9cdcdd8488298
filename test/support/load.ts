import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises';
import type { Pipeline } from '../../src/bin/compose.ts';
import { UnavailableError } from '../../src/user-error.ts';
import { householdInputs } from './household-inputs.ts';

/** Submissions that go on until they are told to end. */
export interface Load {
  /** Ids by client id, of all that were accepted. */
  accepted: Map<string, string>;
  /** Client ids whose submission was refused for now: whether it is there is not known. */
  unavailable: Set<string>;
  /** The longest a submission took, in milliseconds. */
  slowestMs(): number;
  /** Ends the load; throws what a submission threw that it should not have. */
  end(): Promise<void>;
}

/**
 * Submits household responses, `concurrency` at a time and one after the other (`everyMs` apart), until `end`. A refusal must be an
 * UnavailableError: the client is told to send the same again.
 */
export function startLoad(pipeline: Pick<Pipeline, 'submitter'>, options: { formId: string; prefix: string; concurrency?: number; most?: number; everyMs?: number }): Load {
  const { formId, prefix, concurrency = 4, most = 5_000, everyMs = 0 } = options;
  const inputs = householdInputs({ formId, count: most, prefix });
  const [accepted, unavailable] = [new Map<string, string>(), new Set<string>()];
  let [isEnding, slowestMs] = [false, 0];
  const submitOne = async (input: (typeof inputs)[number]) => {
    const began = performance.now();
    try {
      accepted.set(input.clientId, (await pipeline.submitter.submit(input)).id);
    } catch (error) {
      if (!(error instanceof UnavailableError)) throw error;
      unavailable.add(input.clientId);
    } finally {
      slowestMs = Math.max(slowestMs, performance.now() - began);
    }
  };
  const client = async () => {
    while (!isEnding) {
      const input = inputs.shift();
      if (!input) return;
      await submitOne(input);
      await (everyMs === 0 ? turn() : sleep(everyMs));
    }
  };
  const running = Promise.all(Array.from({ length: concurrency }, client));
  running.catch(() => undefined); // thrown by `end`
  return {
    accepted,
    unavailable,
    slowestMs: () => slowestMs,
    async end() {
      isEnding = true;
      await running;
    },
  };
}
