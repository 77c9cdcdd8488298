import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import type { Id } from '../events/id.ts';
import type { StreamLink } from './link.ts';

/** Tells when there may be something new of a form. It says when to look, never what is there: rings may get lost. */
export interface Bell {
  /** Calls back on every ring, until the function it answers is called. */
  listen(formId: Id<'form'>, onRing: () => void): () => void;
  /** Whether rings come through; otherwise look more often. */
  isUp(): boolean;
}

interface Listened {
  listeners: Set<() => void>;
  subscription: Subscription | undefined;
}

/**
 * Whatever is published under a form's subject rings, as a plain message: one subscription for a form that somebody
 * watches in a process, however many watch it, and nothing that the server would have to keep.
 */
export function createBell({ link, subjectOf }: { link: StreamLink; subjectOf: (formId: Id<'form'>) => string }): Bell {
  const forms = new Map<Id<'form'>, Listened>();
  const forever = new AbortController();
  /** One wait for all: each would leave a listener. */
  let opened: Promise<NatsConnection | undefined> | undefined;

  const subscribe = async (formId: Id<'form'>, listened: Listened): Promise<void> => {
    opened ??= link.opened(forever.signal).catch(() => undefined);
    const connection = await opened;
    if (!connection || forms.get(formId) !== listened || connection.isClosed()) return;
    listened.subscription = connection.subscribe(subjectOf(formId), {
      callback: () => {
        for (const listener of listened.listeners) listener();
      },
    });
  };

  const leave = (formId: Id<'form'>, listener: () => void): void => {
    const listened = forms.get(formId);
    listened?.listeners.delete(listener);
    if (!listened || listened.listeners.size > 0) return;
    forms.delete(formId);
    listened.subscription?.unsubscribe();
  };

  return {
    listen: (formId, onRing) => {
      const known = forms.get(formId);
      const listened = known ?? { listeners: new Set<() => void>(), subscription: undefined };
      listened.listeners.add(onRing);
      forms.set(formId, listened);
      if (!known) void subscribe(formId, listened);
      return () => leave(formId, onRing);
    },
    isUp: () => link.connected() !== undefined,
  };
}
