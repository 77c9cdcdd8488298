import { expect, test } from 'vitest';
import { newId } from '../../src/events/id.ts';
import { silentLog } from '../../src/log.ts';
import { announceDeliveries, announceDue, announceIntegrations, announceLeases } from '../../src/stream/announcements.ts';
import { openLink } from '../../src/stream/link.ts';
import { startTestNats } from '../support/nats.ts';

test('a link that was closed has no connection, and what is announced over it is lost without an error', async () => {
  await using nats = await startTestNats();
  const link = openLink({ url: nats.url, name: 'test', log: silentLog });
  await link.opened(new AbortController().signal);
  expect(link.connected()).toBeDefined();

  await link.close();
  expect(link.connected()).toBeUndefined();
  announceDeliveries(link, [newId('form')]);
  announceIntegrations(link, newId('org'));
  announceDue(link);
  announceLeases(link);
});
