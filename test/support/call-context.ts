import type { CallContext, FormShape, Tracking } from '../../integrations/provider.ts';
import { newId } from '../../src/events/id.ts';
import { createHttpClient } from '../../src/outbound/http-client.ts';
import { createMemoryLedger } from './ledger.ts';

/** A form with no questions, but for what is given. */
export const formShape = (members: Partial<FormShape> = {}): FormShape => ({ id: newId('form'), title: 'Survey', version: 1, email: 'owner@example.org', questions: [], ...members });

/** What a provider's call gets, with everything in memory; `tracked` has what it noted. */
export function createCallContext<Settings>(settings: Settings, members: Partial<CallContext<Settings>> = {}): CallContext<Settings> & { tracked: Tracking[] } {
  const form = formShape();
  const tracked: Tracking[] = [];
  return {
    integrationId: newId('intg'),
    settings,
    secrets: [],
    signal: new AbortController().signal,
    http: createHttpClient({ policy: { allowLoopback: true } }),
    ledger: createMemoryLedger(),
    now: () => new Date(),
    form: async () => form,
    callbackUrl: undefined,
    track: async (trackings) => void tracked.push(...trackings),
    serviceUrl: () => undefined,
    tracked,
    ...members,
  };
}
