import { EventObject } from '../deliveries/event.graphql.ts';
import { isId } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { encodeCursor, positionKey } from '../graphql/cursor.ts';
import { LiveTopic } from '../graphql/live-topic.ts';
import { UserError } from '../user-error.ts';
import { requireFormOwner } from './require-form-owner.ts';
import { responseLoader, ResponseType } from './responses.graphql.ts';
import type { ResponseEventItem } from './response-events.ts';

const ResponseEventType = builder.objectRef<ResponseEventItem>('ResponseEvent').implement({
  description: 'Something that happened to a response, as it happened.',
  fields: (t) => ({
    cursor: t.string({
      description: 'Goes on after this event: in subscriptions to the form, and in its `responses`.',
      resolve: ({ position }) => encodeCursor(positionKey(position)),
    }),
    event: t.field({ type: EventObject, resolve: (event) => event }),
    response: t.field({
      description: 'The revision that the event tells of; null where its form was deleted.',
      type: ResponseType,
      nullable: true,
      resolve: ({ responseId }, _args, context) => responseLoader(context).load(responseId),
    }),
  }),
});

interface Args {
  formId: string;
  after?: string | null | undefined;
  where?: string | null | undefined;
}

async function topicOf(kind: 'created' | 'changed', { formId, after, where }: Args, context: Context): Promise<LiveTopic<ResponseEventItem>> {
  if (!isId('form', formId)) throw new UserError('NOT_FOUND', 'There is no such form.', ['formId']);
  const authorize = (caller: Context): Promise<void> => requireFormOwner(caller, { form: { id: formId }, permission: 'responses:read' });
  await authorize(context);
  const { responses } = context.services;
  const filter = typeof where === 'string' ? await responses.filterOf(formId, where) : undefined;
  return new LiveTopic<ResponseEventItem>({
    field: kind === 'created' ? 'responseCreated' : 'responseChanged',
    key: JSON.stringify([kind, formId, where ?? null]),
    order: 'events',
    formId,
    after: after ?? undefined,
    authorize,
    read: (stretch) => responses.readEvents(kind, formId, stretch),
    select: async (items, caller) => {
      if (!filter) return items;
      const found = await Promise.all(items.map(({ responseId }) => responseLoader(caller).load(responseId)));
      const holds = await Promise.all(
        // of an erased one nothing is left to look at, and who keeps responses of their own must hear of it
        found.map(async (response) => response !== undefined && (response.erasedAt !== null || (await filter.holds(response)))),
      );
      return items.filter((_, index) => holds[index]);
    },
  });
}

const after = 'Goes on after this cursor, without a gap or a repeat; without it, from now on. Over SSE, the header `Last-Event-ID` takes its place.';
const where = 'Only responses of which this is true: a condition as questions have it, over the keys of all questions. `age > 17 && city == \'Pune\'`';

builder.subscriptionType({
  fields: (t) => ({
    responseCreated: t.field({
      description: 'Responses of a form as they come in, each once, in their order.',
      type: ResponseEventType,
      args: { formId: t.arg.id({ required: true }), after: t.arg.string({ description: after }), where: t.arg.string({ description: where }) },
      subscribe: (_root, args, context) => topicOf('created', args, context),
      resolve: (event) => event,
    }),
    responseChanged: t.field({
      description: 'What becomes of responses after that: they are amended, flagged, cleared, deleted. A deletion is told whatever `where` says.',
      type: ResponseEventType,
      args: { formId: t.arg.id({ required: true }), after: t.arg.string({ description: after }), where: t.arg.string({ description: where }) },
      subscribe: (_root, args, context) => topicOf('changed', args, context),
      resolve: (event) => event,
    }),
  }),
});
