import type { EventType } from '../events/event.ts';
import type { Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { EventTypeType } from '../integrations/integrations.graphql.ts';

export const EventObject = builder.objectRef<{ id: Id<'evt'>; type: EventType; occurredAt: Date }>('Event').implement({
  description: 'A fact, immutable.',
  fields: (t) => ({
    id: t.exposeID('id', { description: 'The `webhook-id` of every attempt.' }),
    type: t.expose('type', { type: EventTypeType }),
    occurredAt: t.expose('occurredAt', { type: 'DateTime' }),
  }),
});
