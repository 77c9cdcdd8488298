import type { Id } from '../events/id.ts';
import { isId } from '../events/id.ts';
import type { StreamLink } from './link.ts';

const prefix = 'formwire.integrations.';

/** Tells every dispatcher that an organisation's integrations have changed. Best effort: what they hold also ages. */
export function announceIntegrations(link: StreamLink, organizationId: Id<'org'>): void {
  link.connected()?.publish(`${prefix}${organizationId}`);
}

/** Calls back for every announcement until `signal` aborts. */
export async function followAnnouncements(link: StreamLink, options: { signal: AbortSignal; onChanged: (organizationId: Id<'org'>) => void }): Promise<void> {
  const { signal, onChanged } = options;
  const connection = await link.opened(signal).catch(() => undefined);
  if (!connection || signal.aborted) return;
  const subscription = connection.subscribe(`${prefix}*`);
  signal.addEventListener('abort', () => subscription.unsubscribe(), { once: true });
  for await (const message of subscription) {
    const organizationId = message.subject.slice(prefix.length);
    if (isId('org', organizationId)) onChanged(organizationId);
  }
}
