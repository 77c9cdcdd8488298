import type { CallContext, FormShape, Tracking } from '../../integrations/provider.ts';
import type { Json } from '../../src/events/canonical-json.ts';
import { newId } from '../../src/events/id.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { createMemoryLedger } from './ledger.ts';

/** A form with no questions, but for what is given. */
export const formShape = (members: Partial<FormShape> = {}): FormShape => ({ id: newId('form'), title: 'Survey', version: 1, email: 'owner@example.org', questions: [], ...members });

/** A line that a provider wrote to the log. */
export type Logged = { event: string } & Record<string, Json>;

/** What a provider's call gets, with everything in memory; `tracked` and `logged` have what it said. */
export function createCallContext<Settings>(settings: Settings, members: Partial<CallContext<Settings>> = {}): CallContext<Settings> & { tracked: Tracking[]; logged: Logged[] } {
  const form = formShape();
  const tracked: Tracking[] = [];
  const logged: Logged[] = [];
  return {
    integrationId: newId('intg'),
    settings,
    secrets: [],
    signal: new AbortController().signal,
    http: createHttpClient({ policy: { allowLoopback: true } }),
    ledger: createMemoryLedger(),
    log: (event, about) => void logged.push({ event, ...about }),
    now: () => new Date(),
    form: async () => form,
    callbackUrl: undefined,
    track: async (trackings) => void tracked.push(...trackings),
    serviceUrl: () => undefined,
    tracked,
    logged,
    ...members,
  };
}
