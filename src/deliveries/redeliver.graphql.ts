import { builder } from '../graphql/builder.ts';
import { mutation } from '../graphql/mutation.ts';
import { DeliveryStatusType, DeliveryType } from './deliveries.graphql.ts';
import { maxRedeliveredByFilter, maxRedeliveredByIds } from './redeliver.ts';

const RedeliverFilterType = builder.inputType('RedeliverFilter', {
  description: 'All that is given must hold.',
  fields: (t) => ({
    formId: t.id(),
    integrationId: t.id(),
    status: t.field({ type: DeliveryStatusType, description: 'Default: DEAD.' }),
    since: t.field({ type: 'DateTime', description: 'Created then or later.' }),
    until: t.field({ type: 'DateTime', description: 'Created before then.' }),
    errorClass: t.string({ description: 'Of the last attempt.' }),
  }),
});

mutation('redeliver', {
  description: 'Sends deliveries again, whatever became of them, at once and with a new schedule of retries. What is being sent at this moment is left to that attempt.',
  input: (t) => ({
    deliveryIds: t.idList({ description: `At most ${maxRedeliveredByIds}. Give this or \`filter\`.` }),
    filter: t.field({ type: RedeliverFilterType, description: `The oldest ${maxRedeliveredByFilter} it finds.` }),
    after: t.string({ description: 'With `filter`, the endCursor of the call before: what has died again since is not sent another time.' }),
  }),
  payload: { count: 'Int', deliveries: [DeliveryType], hasMore: 'Boolean', endCursor: 'String' },
  run: (input, context) => context.services.deliveries.redeliver(context, input),
});
