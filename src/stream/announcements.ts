import type { Subscription } from '@nats-io/transport-node';
import type { Id } from '../events/id.ts';
import { isId } from '../events/id.ts';
import type { StreamLink } from './link.ts';

const prefix = 'formwire.integrations.';
const dueSubject = 'formwire.due';
const leasesSubject = 'formwire.leases';

/** Under which is told that deliveries of a form have changed. */
export const deliveriesSubject = (formId: Id<'form'>): string => `formwire.deliveries.${formId}`;

/** Tells every dispatcher that an organisation's integrations have changed. Best effort: what they hold also ages. */
export function announceIntegrations(link: StreamLink, organizationId: Id<'org'>): void {
  link.connected()?.publish(`${prefix}${organizationId}`);
}

/** Tells every dispatcher that pending deliveries are due sooner than they were. Best effort: each looks for itself, too. */
export function announceDue(link: StreamLink): void {
  link.connected()?.publish(dueSubject);
}

/** Tells whoever watches deliveries of these forms to look. Best effort: they look now and then. */
export function announceDeliveries(link: StreamLink, formIds: Iterable<Id<'form'>>): void {
  const connection = link.connected();
  for (const formId of formIds) connection?.publish(deliveriesSubject(formId));
}

/** Tells every dispatcher that there are partitions to take, or to give up. Best effort: each looks for itself, too. */
export function announceLeases(link: StreamLink): void {
  link.connected()?.publish(leasesSubject);
}

export interface Announced {
  onChanged: (organizationId: Id<'org'>) => void;
  onDue: () => void;
  onLeases: () => void;
}

/** Calls back for every announcement until `signal` aborts. Who has just begun to listen may not have been heard: all look for what is theirs. */
export async function followAnnouncements(link: StreamLink, { signal, onChanged, onDue, onLeases }: Announced & { signal: AbortSignal }): Promise<void> {
  const connection = await link.opened(signal).catch(() => undefined);
  if (!connection || signal.aborted) return;
  const follow = (subject: string, onMessage: (subject: string) => void): Promise<void> => followOne(connection.subscribe(subject), { signal, onMessage });
  const following = [
    follow(`${prefix}*`, (subject) => {
      const organizationId = subject.slice(prefix.length);
      if (isId('org', organizationId)) onChanged(organizationId);
    }),
    follow(dueSubject, onDue),
    follow(leasesSubject, onLeases),
  ];
  announceLeases(link);
  await Promise.all(following);
}

async function followOne(subscription: Subscription, { signal, onMessage }: { signal: AbortSignal; onMessage: (subject: string) => void }): Promise<void> {
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
  for await (const { subject } of subscription) onMessage(subject);
}
