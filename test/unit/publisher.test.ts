import type { NatsConnection } from '@nats-io/transport-node';
import type { Pool } from 'pg';
import { expect, test } from 'vitest';
import type { Event } from '../../src/events/event.ts';
import { newId } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { createPublisher } from '../../src/outbox/publisher.ts';
import type { StreamLink } from '../../src/stream/link.ts';

const someEvent = (position: number): Event => ({
  id: newId('evt'),
  type: 'response.created',
  organizationId: newId('org'),
  formId: newId('form'),
  responseId: newId('resp'),
  position,
  integrationsVersion: 0,
  body: new Uint8Array(1),
});

test('a connection that breaks under a full queue leaves the queue to the sweeper', () => {
  let calls = 0;
  const connected = () => (calls++ === 0 ? ({} as NatsConnection) : undefined);
  const publisher = createPublisher({ link: { connected } as unknown as StreamLink, pool: {} as Pool, log: silentLog, noteAfterMs: 1_000 });
  publisher.publish(Array.from({ length: 20_000 }, (_, index) => someEvent(index)));
  // not one try for each, each within the one before: that is deeper than the stack
  expect(calls).toBe(2);
});
