import { expect, test } from 'vitest';
import type { Provider } from '../../integrations/provider.ts';
import { newId } from '../../src/events/id.ts';
import { attempt, createCalls } from '../../src/dispatcher/attempt.ts';
import type { Work } from '../../src/dispatcher/work.ts';
import { silentLog } from '../../src/log.ts';
import { createCallContext } from '../support/call-context.ts';
import { fake } from '../support/fake-provider.ts';

const work = (): Work => ({
  kind: 'first', deliveryId: newId('dlv'), integrationId: newId('intg'), lease: { partition: 0, epoch: 1 }, attempts: 0, scheduleStart: 0, since: 0,
  event: { id: newId('evt'), type: 'response.created', organizationId: newId('org'), formId: newId('form'), responseId: newId('resp'), position: 1, integrationsVersion: 1, body: new Uint8Array() },
  isOurs: () => true,
  settle: () => undefined,
});

const outcomesOf = async (deliver: NonNullable<Provider['deliver']>) => {
  const provider: Provider = { ...fake, deliver };
  const { outcomes } = await attempt({ provider, contextFor: (signal) => createCallContext({}, { signal }), log: silentLog, calls: createCalls() }, [work(), work()]);
  return outcomes;
};

test('a provider that cannot reach the database uses up no attempt', async () => {
  const away = Object.assign(new Error('terminating connection due to administrator command'), { code: '57P01' });
  expect(await outcomesOf(async () => Promise.reject(away))).toMatchObject([{ status: 'deferred', afterMs: 5_000 }, { status: 'deferred', afterMs: 5_000 }]);
});

test('a provider that throws for another reason, or answers too few outcomes, has failed to deliver', async () => {
  const failed = { status: 'retry', error: 'PROVIDER_FAULT', reason: 'An internal error; it is logged.' };
  expect(await outcomesOf(async () => Promise.reject(new Error('sesame')))).toEqual([failed, failed]);
  expect(await outcomesOf(async () => [{ status: 'delivered' }])).toEqual([failed, failed]);
});
