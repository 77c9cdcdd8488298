import { isId, type Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import type { Context } from '../graphql/context.ts';
import { encodeCursor, positionKey } from '../graphql/cursor.ts';
import { LiveTopic } from '../graphql/live-topic.ts';
import { integrationLoader } from '../integrations/integrations.graphql.ts';
import { requireFormOwner } from '../responses/require-form-owner.ts';
import { UserError } from '../user-error.ts';
import { DeliveryType } from './deliveries.graphql.ts';
import type { DeliveryChangeItem } from './delivery-changes.ts';

const DeliveryChangeType = builder.objectRef<DeliveryChangeItem>('DeliveryChange').implement({
  description: 'A delivery that has changed, or was recorded for the first time.',
  fields: (t) => ({
    cursor: t.string({
      description: 'Goes on after this change.',
      resolve: ({ position }) => encodeCursor(positionKey(position, 'deliveryChanges')),
    }),
    delivery: t.field({ description: 'As it is since then.', type: DeliveryType, resolve: ({ delivery }) => delivery }),
  }),
});

interface Args {
  formId: string;
  integrationId?: string | null | undefined;
  after?: string | null | undefined;
}

async function topicOf({ formId, integrationId, after }: Args, context: Context): Promise<LiveTopic<DeliveryChangeItem>> {
  if (!isId('form', formId)) throw new UserError('NOT_FOUND', 'There is no such form.', ['formId']);
  const authorize = (caller: Context): Promise<void> => requireFormOwner(caller, { form: { id: formId }, permission: 'deliveries:read' });
  await authorize(context);
  const ofOne = typeof integrationId === 'string' ? await requireIntegration(context, { formId, integrationId }) : undefined;
  return new LiveTopic<DeliveryChangeItem>({
    field: 'deliveryChanged',
    key: JSON.stringify(['deliveries', formId, ofOne ?? null]),
    order: 'deliveryChanges',
    formId,
    after: after ?? undefined,
    authorize,
    read: (stretch) => context.services.deliveries.readChanges(context, { formId, integrationId: ofOne }, stretch),
    select: (items) => Promise.resolve(items),
  });
}

/** Of one that is not there, or gets nothing of this form, nothing would ever be told. */
async function requireIntegration(context: Context, { formId, integrationId }: { formId: Id<'form'>; integrationId: string }): Promise<Id<'intg'>> {
  const integration = isId('intg', integrationId) ? await integrationLoader(context).load(integrationId) : undefined;
  if (integration && (integration.formId === null || integration.formId === formId)) return integration.id;
  throw new UserError('NOT_FOUND', 'The form has no such integration.', ['integrationId']);
}

builder.subscriptionField('deliveryChanged', (t) =>
  t.field({
    description:
      'Deliveries of a form as they are recorded and change, each as it is then: one that changed several times since it was looked at is told once, as it is now. ' +
      'What its service tells later, its `tracking`, is no change of it. To keep a list: subscribe first, then read `form.deliveries`.',
    type: DeliveryChangeType,
    args: {
      formId: t.arg.id({ required: true }),
      integrationId: t.arg.id({ description: 'Only those of this integration.' }),
      after: t.arg.string({ description: 'Goes on after this cursor, however old it is, without a gap or a repeat; without it, from now on. Over SSE, the header `Last-Event-ID` takes its place.' }),
    },
    subscribe: (_root, args, context) => topicOf(args, context),
    resolve: (change) => change,
  }),
);
