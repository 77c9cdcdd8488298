import { FormType } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { integrationLoader, IntegrationType } from '../integrations/integrations.graphql.ts';
import { requireFormOwner } from '../responses/require-form-owner.ts';
import type { DeadGroup } from './dead-groups.ts';
import { deliveryLoader, DeliveryType } from './deliveries.graphql.ts';

const DeadLettersType = builder.objectRef<DeadGroup>('DeadLetters').implement({
  description: 'Dead deliveries of one integration that failed alike. `deliveries` and `redeliver` take the same class in their filter.',
  fields: (t) => ({
    integration: t.field({
      type: IntegrationType,
      nullable: true,
      resolve: ({ integrationId }, _args, context) => integrationLoader(context).load(integrationId),
    }),
    errorClass: t.exposeString('errorClass', { nullable: true, description: 'TIMEOUT, CONNECTION, HTTP_STATUS, …' }),
    count: t.exposeInt('count'),
    first: t.expose('first', { type: 'DateTime', description: 'When the first of them was given up on.' }),
    last: t.expose('last', { type: 'DateTime' }),
    example: t.field({
      description: 'The newest of them; its reason stands for the others’.',
      type: DeliveryType,
      nullable: true,
      resolve: ({ exampleId }, _args, context) => deliveryLoader(context).load(exampleId),
    }),
  }),
});

const description = 'What was given up on, by what it failed with, the most frequent first; at most 200 kinds.';

builder.objectField(FormType, 'deadLetters', (t) =>
  t.field({
    description,
    type: [DeadLettersType],
    resolve: async (form, _args, context) => {
      await requireFormOwner(context, { form, permission: 'deliveries:read' });
      return context.services.deliveries.deadOfForm(context, form.id);
    },
  }),
);

builder.objectField(IntegrationType, 'deadLetters', (t) =>
  t.field({ description, type: [DeadLettersType], resolve: ({ id }, _args, context) => context.services.deliveries.deadOfIntegration(context, id) }),
);
