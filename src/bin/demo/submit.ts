import type { ApiClient } from './api-client.ts';
import { openProgress } from './progress.ts';

/** Submissions at a time: about what a fleet of tablets coming online does. */
export const clients = 16;

/** How many responses broke each rule, by its name, and how many broke any. */
export interface Flagged {
  responses: number;
  byRule: Map<string, number>;
}

interface Submitted {
  response: { flags: { rule: string }[] };
}

/** Submits all responses, and says what their submitters are told of flags. */
export async function submitAll(api: ApiClient, responses: readonly Record<string, unknown>[]): Promise<Flagged> {
  const flagged: Flagged = { responses: 0, byRule: new Map() };
  const waiting = responses.values();
  using bar = openProgress('submitted');
  let done = 0;
  const client = async (): Promise<void> => {
    for (const response of waiting) {
      const submitted = await api.call<Submitted>(
        'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { response { id flags { rule } } errors { message } } }',
        response,
      );
      count(flagged, submitted.response.flags);
      done += 1;
      bar.show(done, responses.length);
    }
  };
  await Promise.all(Array.from({ length: clients }, client));
  return flagged;
}

function count(flagged: Flagged, flags: readonly { rule: string }[]): void {
  if (flags.length > 0) flagged.responses += 1;
  for (const { rule } of flags) flagged.byRule.set(rule, (flagged.byRule.get(rule) ?? 0) + 1);
}
