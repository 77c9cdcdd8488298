import type { Subscription } from '@nats-io/transport-node';
import type { Id } from '../events/id.ts';
import { isId } from '../events/id.ts';
import type { StreamLink } from './link.ts';

const prefix = 'formwire.integrations.';
const dueSubject = 'formwire.due';

/** Tells every dispatcher that an organisation's integrations have changed. Best effort: what they hold also ages. */
export function announceIntegrations(link: StreamLink, organizationId: Id<'org'>): void {
  link.connected()?.publish(`${prefix}${organizationId}`);
}

/** Tells every dispatcher that pending deliveries are due sooner than they were. Best effort: each looks for itself, too. */
export function announceDue(link: StreamLink): void {
  link.connected()?.publish(dueSubject);
}

export interface Announced {
  onChanged: (organizationId: Id<'org'>) => void;
  onDue: () => void;
}

/** Calls back for every announcement until `signal` aborts. */
export async function followAnnouncements(link: StreamLink, { signal, onChanged, onDue }: Announced & { signal: AbortSignal }): Promise<void> {
  const connection = await link.opened(signal).catch(() => undefined);
  if (!connection || signal.aborted) return;
  const follow = (subject: string, onMessage: (subject: string) => void): Promise<void> => followOne(connection.subscribe(subject), { signal, onMessage });
  await Promise.all([
    follow(`${prefix}*`, (subject) => {
      const organizationId = subject.slice(prefix.length);
      if (isId('org', organizationId)) onChanged(organizationId);
    }),
    follow(dueSubject, onDue),
  ]);
}

async function followOne(subscription: Subscription, { signal, onMessage }: { signal: AbortSignal; onMessage: (subject: string) => void }): Promise<void> {
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
  for await (const { subject } of subscription) onMessage(subject);
}
