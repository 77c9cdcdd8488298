import type { Id } from '../events/id.ts';
import { forbidden, requirePermission } from '../accounts/permissions.ts';
import { builder } from '../graphql/builder.ts';
import { createLoader } from '../graphql/loader.ts';
import { ResponseType } from '../responses/responses.graphql.ts';
import { DeliveryType } from './deliveries.graphql.ts';
import { pipelineStatus, type PipelineCounts } from './pipeline.ts';

const ofResponseLoader = createLoader((ids: readonly Id<'resp'>[], context) => context.services.deliveries.ofResponses(context, ids));
const pipelineLoader = createLoader((ids: readonly Id<'resp'>[], context) => context.services.deliveries.pipelines(context, ids));

const PipelineStatusType = builder.enumType('PipelineStatus', {
  values: {
    QUEUED: { value: 'queued', description: 'On its way to the integrations: deliveries may be missing yet.' },
    PENDING: { value: 'pending', description: 'Something is still to be delivered.' },
    DELIVERED: { value: 'delivered', description: 'Everything is delivered, except what was canceled.' },
    DEAD: { value: 'dead', description: 'Nothing is pending, but something was given up on.' },
    NONE: { value: 'none', description: 'There is nothing to deliver.' },
  } as const,
});

const PipelineType = builder.objectRef<PipelineCounts>('Pipeline').implement({
  description: 'How far the deliveries of one response are.',
  fields: (t) => ({
    status: t.field({ type: PipelineStatusType, resolve: pipelineStatus }),
    total: t.int({ resolve: ({ delivered, pending, dead, canceled }) => delivered + pending + dead + canceled }),
    delivered: t.exposeInt('delivered'),
    pending: t.exposeInt('pending'),
    dead: t.exposeInt('dead'),
    canceled: t.exposeInt('canceled'),
    finishedAt: t.field({
      description: 'When the last delivery ended; null while there is anything to do.',
      type: 'DateTime',
      nullable: true,
      resolve: ({ isQueued, pending, lastFinishedAt }) => (isQueued || pending > 0 ? null : lastFinishedAt),
    }),
  }),
});

builder.objectField(ResponseType, 'deliveries', (t) =>
  t.field({
    description: 'Oldest first. Only for the organisation of the form.',
    type: [DeliveryType],
    resolve: async ({ id }, _args, context) => {
      requirePermission(context, 'deliveries:read');
      return owned(await ofResponseLoader(context).load(id));
    },
  }),
);

builder.objectField(ResponseType, 'pipeline', (t) =>
  t.field({
    description: 'Only for the organisation of the form.',
    type: PipelineType,
    resolve: async ({ id }, _args, context) => {
      requirePermission(context, 'deliveries:read');
      return owned(await pipelineLoader(context).load(id));
    },
  }),
);

/** Whoever submits gets the response back without owning it: what became of it is not theirs to see. */
function owned<T>(found: T | undefined): T {
  if (found === undefined) throw forbidden('Only the organisation of a form can see what becomes of its responses.');
  return found;
}
