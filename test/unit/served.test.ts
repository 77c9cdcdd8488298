import { randomBytes } from 'node:crypto';
import { expect, test } from 'vitest';
import { providerNamed } from '../../integrations/index.ts';
import { served } from '../../src/dispatcher/open-lane.ts';
import { newId } from '../../src/events/id.ts';
import type { EnabledIntegration } from '../../src/integrations/enabled-integrations.ts';
import { silentLog } from '../../src/log.ts';
import { createSealer, type Sealer } from '../../src/sealing.ts';

const [here, elsewhere] = [createSealer([randomBytes(32)]), createSealer([randomBytes(32)])];

function sealedBy(sealer: Sealer): EnabledIntegration {
  const id = newId('intg');
  return {
    id, organizationId: newId('org'), formId: null, provider: 'webhook', status: 'active', statusReason: null, events: [], pastEvents: [],
    settings: { url: 'https://example.org/' }, secrets: [sealer.seal('whsec_c2VjcmV0', id)], secretEnds: [],
    sinceVersion: 0, updatedAt: new Date(0), isDeleted: false, hasPending: true,
  };
}

test('an integration whose secrets cannot be read is disabled and logged once, however often it is looked at', () => {
  const logged: unknown[] = [];
  const options = { providerNamed, sealer: here, log: { ...silentLog, error: (...line: unknown[]) => void logged.push(line[1]) } };
  const integration = sealedBy(elsewhere);
  const first = served(options, integration);
  const second = served(options, integration, first);
  expect([first.status, second.status, second.statusReason]).toEqual(['disabled', 'disabled', expect.stringContaining('secrets cannot be read')]);
  expect(logged).toEqual(['secrets.unreadable']);
  const mended = served({ ...options, sealer: elsewhere }, integration, second);
  expect([mended.status, mended.secrets]).toEqual(['active', ['whsec_c2VjcmV0']]);
  served(options, integration, mended);
  expect(logged).toEqual(['secrets.unreadable', 'secrets.unreadable']);
});
