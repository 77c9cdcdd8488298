import { setTimeout as sleep } from 'node:timers/promises';
import { createApiClient, type ApiClient } from '../../src/bin/demo/api-client.ts';
import { householdResponses } from '../../src/bin/demo/household.ts';

/** What collectors send until they are told to end. */
export interface ClientLoad {
  /** When each response was answered, by its id; milliseconds since 1970. */
  accepted: Map<string, number>;
  /** In the order of the one collector who sends a response only when the one before it was answered. */
  inOrder: string[];
  /** Calls that were not answered, or with a fault, and were tried again. */
  failures: string[];
  /** How long the longest response took from its first call to its answer, in milliseconds. */
  slowestMs(): number;
  end(): Promise<void>;
}

const submit = 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id } errors { message } } }';

/**
 * Collectors that behave as real ones: each response has its client id, and goes to the next API until one has answered
 * it. `collectors` at a time, each `everyMs` after its last answer.
 */
export function startClientLoad(options: { urls: readonly string[]; formId: string; collectors?: number; everyMs?: number }): ClientLoad {
  const { urls, formId, collectors = 4, everyMs = 100 } = options;
  const clients = urls.map((url) => createApiClient({ url, connections: collectors }));
  const answers = householdResponses(formId);
  const accepted = new Map<string, number>();
  const [inOrder, failures]: [string[], string[]] = [[], []];
  let [isEnding, count, slowestMs] = [false, 0, 0];

  /** Tries the same until it is answered. */
  const send = async (input: Record<string, unknown>, first: number): Promise<string> => {
    for (let turn = first; ; turn += 1) {
      try {
        const client = clients[turn % clients.length] as ApiClient;
        const { response } = await client.call<{ response: { id: string } }>(submit, input);
        return response.id;
      } catch (error) {
        failures.push(error instanceof Error ? error.message : String(error));
        await sleep(50);
      }
    }
  };
  const collector = async (number: number): Promise<void> => {
    while (!isEnding) {
      const clientId = `load-${(count += 1)}`;
      const began = performance.now();
      const id = await send({ ...answers[count % answers.length], formId, clientId }, number);
      slowestMs = Math.max(slowestMs, performance.now() - began);
      accepted.set(id, Date.now());
      if (number === 0) inOrder.push(id);
      await sleep(everyMs);
    }
  };
  const running = Promise.all(Array.from({ length: collectors }, (_, number) => collector(number)));
  return {
    accepted,
    inOrder,
    failures,
    slowestMs: () => slowestMs,
    async end() {
      isEnding = true;
      await running;
      await Promise.all(clients.map((client) => client.close()));
    },
  };
}
