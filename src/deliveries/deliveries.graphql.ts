import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { isId, type Id } from '../events/id.ts';
import { FormType } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { positionKey, positionOfKey } from '../graphql/cursor.ts';
import { createLoader } from '../graphql/loader.ts';
import { nodeRef } from '../graphql/node.ts';
import { integrationLoader, IntegrationType } from '../integrations/integrations.graphql.ts';
import { requireFormOwner } from '../responses/require-form-owner.ts';
import { responseLoader, ResponseType } from '../responses/responses.graphql.ts';
import { EventObject } from './event.graphql.ts';
import type { DeliveriesService } from './deliveries.service.ts';
import type { AttemptRow } from './delivery-rows.ts';
import type { TrackingRow } from './tracking-rows.ts';

declare module '../graphql/context.ts' {
  interface Services {
    deliveries: DeliveriesService;
  }
}

/** Deliveries by id; those of other organisations are not found. */
export const deliveryLoader = createLoader((ids: readonly Id<'dlv'>[], context) => context.services.deliveries.readMany(context, ids));
const attemptsLoader = createLoader((ids: readonly Id<'dlv'>[], context) => context.services.deliveries.attempts(context, ids));
const trackingLoader = createLoader((ids: readonly Id<'dlv'>[], context) => context.services.deliveries.trackings(context, ids));

export const DeliveryStatusType = builder.enumType('DeliveryStatus', {
  values: {
    PENDING: { value: 'pending', description: 'To be sent, as `nextAttemptAt` and `reason` say.' },
    DELIVERED: { value: 'delivered' },
    DEAD: { value: 'dead', description: 'Given up on until somebody redelivers it.' },
    CANCELED: { value: 'canceled', description: 'Its integration was deleted, or its response erased, as the reason says.' },
  } as const,
});

const RedelivererType = builder.enumType('Redeliverer', {
  values: {
    MEMBER: { value: 'member' },
    KEY: { value: 'key', description: 'A program, with an API key.' },
    SCHEDULE: { value: 'schedule', description: 'The `deadRedrive` of its integration.' },
    OPERATOR: { value: 'operator', description: 'Who runs the installation.' },
  } as const,
});

const AttemptOutcomeType = builder.enumType('AttemptOutcome', {
  values: {
    DELIVERED: { value: 'delivered' },
    RETRY: { value: 'retry', description: 'It may succeed later.' },
    REJECTED: { value: 'rejected', description: 'This delivery can never succeed.' },
    BROKEN: { value: 'broken', description: 'The integration itself needs its owner.' },
  } as const,
});

const AttemptType = builder.objectRef<AttemptRow>('Attempt').implement({
  description: 'One try of a delivery, and what came back.',
  fields: (t) => ({
    number: t.exposeInt('number', { description: 'From 1.' }),
    at: t.expose('at', { type: 'DateTime' }),
    durationMs: t.exposeInt('durationMs'),
    outcome: t.expose('outcome', { type: AttemptOutcomeType }),
    httpStatus: t.exposeInt('httpStatus', { nullable: true }),
    error: t.exposeString('error', { nullable: true, description: 'What went wrong, in a sentence.' }),
    errorClass: t.exposeString('errorClass', { nullable: true, description: 'Its class: TIMEOUT, CONNECTION, HTTP_STATUS, …' }),
    responseBody: t.exposeString('responseBody', { nullable: true, description: 'The beginning of what the receiver answered.' }),
  }),
});

const TrackingType = builder.objectRef<TrackingRow>('Tracking').implement({
  description: 'What an outside service says of something it took: a message on its way.',
  fields: (t) => ({
    reference: t.exposeString('reference', { description: 'What the service knows it by.' }),
    status: t.exposeString('status', { description: 'In the service’s words: `sent`, `undelivered`.' }),
    detail: t.exposeString('detail', { nullable: true, description: 'What went wrong, in a sentence.' }),
    isFinal: t.exposeBoolean('isFinal', { description: 'Nothing else will come of it.' }),
    notedAt: t.expose('notedAt', { type: 'DateTime' }),
  }),
});

export const DeliveryType = nodeRef('Delivery', { prefix: 'dlv', load: deliveryLoader });
DeliveryType.implement({
  description: 'The duty to get one event to one integration, and how far it got.',
  fields: (t) => ({
    event: t.field({ type: EventObject, resolve: ({ eventId, eventType, occurredAt }) => ({ id: eventId, type: eventType, occurredAt }) }),
    integration: t.field({
      type: IntegrationType,
      resolve: async ({ integrationId }, _args, context) => required(await integrationLoader(context).load(integrationId), integrationId),
    }),
    response: t.field({
      description: 'null where its form was deleted.',
      type: ResponseType,
      nullable: true,
      resolve: ({ responseId }, _args, context) => responseLoader(context).load(responseId),
    }),
    status: t.expose('status', { type: DeliveryStatusType }),
    reason: t.exposeString('reason', { nullable: true, description: 'Why it is pending, dead or canceled.' }),
    errorClass: t.exposeString('errorClass', { nullable: true, description: 'The class of what its last attempt failed with.' }),
    attempts: t.field({
      description: 'In their order; those of a finished delivery are kept for three months, unless the installation says otherwise.',
      type: [AttemptType],
      resolve: async ({ id }, _args, context) => (await attemptsLoader(context).load(id)) ?? [],
    }),
    tracking: t.field({
      description: 'What became of it after the outside service took it; null where that says nothing. Kept as attempts are.',
      type: TrackingType,
      nullable: true,
      resolve: ({ id }, _args, context) => trackingLoader(context).load(id),
    }),
    nextAttemptAt: t.expose('nextAttemptAt', {
      type: 'DateTime',
      nullable: true,
      description: 'null while it waits for no time but for its receiver or its owner, as the reason says; and when it is over.',
    }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
    redeliveredAt: t.expose('redeliveredAt', { type: 'DateTime', nullable: true, description: 'When it was last sent again after it had ended or waited.' }),
    redeliveredBy: t.expose('redeliveredBy', { type: RedelivererType, nullable: true }),
    redeliveredByUser: t.field({
      description: 'Who that was, or who made the API key; null where it was nobody of the organisation.',
      type: UserType,
      nullable: true,
      resolve: ({ redeliveredById }, _args, context) => (redeliveredById ? userLoader(context).load(redeliveredById) : null),
    }),
    redrives: t.exposeInt('redrives', { description: 'How often the schedule of its integration has sent it again since somebody did.' }),
  }),
});

/** What must be there: integrations are never removed, and belong to the organisation of their deliveries. */
function required<T>(found: T | undefined, id: Id): T {
  if (found === undefined) throw new Error(`${id} is missing`);
  return found;
}

const DeliveryConnection = connectionType(DeliveryType);

const DeliveryFilterType = builder.inputType('DeliveryFilter', {
  description: 'All that is given must hold.',
  fields: (t) => ({
    integrationId: t.id(),
    status: t.field({ type: DeliveryStatusType }),
    since: t.field({ type: 'DateTime', description: 'Created then or later.' }),
    until: t.field({ type: 'DateTime', description: 'Created before then.' }),
    responseId: t.id(),
    errorClass: t.string({ description: 'Of the last attempt: TIMEOUT, CONNECTION, HTTP_STATUS, …; `deadLetters` tells which there are.' }),
  }),
});

builder.queryField('delivery', (t) =>
  t.field({
    description: 'A delivery by its id; null where the viewer’s organisation has none of this id.',
    type: DeliveryType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => (isId('dlv', id) ? deliveryLoader(context).load(id) : null),
  }),
);

builder.objectField(FormType, 'deliveries', (t) =>
  t.connection(
    {
      description: 'Oldest first; `last` begins with the newest.',
      type: DeliveryType,
      args: { filter: t.arg({ type: DeliveryFilterType }) },
      resolve: async (form, args, context) => {
        await requireFormOwner(context, { form, permission: 'deliveries:read' });
        return keysetPage({
          args,
          load: (range) => context.services.deliveries.list(context, { formId: form.id, filter: args.filter ?? {}, range }),
          keyOf: ({ recordedPosition }) => positionKey(recordedPosition, 'deliveries'),
          isKey: (key) => positionOfKey(key, 'deliveries') !== undefined,
        });
      },
    },
    DeliveryConnection,
  ),
);
