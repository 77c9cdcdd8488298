import { builder } from '../graphql/builder.ts';
import { mutation } from '../graphql/mutation.ts';
import { EventTypeType, integrationLoader, IntegrationType } from '../integrations/integrations.graphql.ts';
import { maxEvents, maxListed, type CompletenessService, type ReconciledPage } from './completeness.service.ts';
import type { MissingDelivery, Tally } from './reconcile.ts';

declare module '../graphql/context.ts' {
  interface Services {
    completeness: CompletenessService;
  }
}

const TallyType = builder.objectRef<Tally>('ReconciledIntegration').implement({
  description: 'What became of the events at one integration.',
  fields: (t) => ({
    integration: t.field({
      type: IntegrationType,
      nullable: true,
      resolve: ({ integrationId }, _args, context) => integrationLoader(context).load(integrationId),
    }),
    delivered: t.exposeInt('delivered'),
    pending: t.exposeInt('pending'),
    dead: t.exposeInt('dead'),
    canceled: t.exposeInt('canceled', { description: 'Also what was never recorded of a response that is erased.' }),
    queued: t.exposeInt('queued', { description: 'On their way to it: in the outbox.' }),
    filtered: t.exposeInt('filtered', { description: 'Not for it: of other types than it asked for, or from before it was there.' }),
    unknown: t.exposeInt('unknown', { description: 'Not recorded, and accepted by a version of Formwire that did not keep to whom it was due.' }),
    missing: t.exposeInt('missing', { description: 'Due, and nowhere. It is 0, or something is broken.' }),
  }),
});

const MissingType = builder.objectRef<MissingDelivery>('MissingDelivery').implement({
  description: 'A delivery that was due and is nowhere.',
  fields: (t) => ({
    integrationId: t.exposeID('integrationId'),
    eventId: t.id({ resolve: ({ event }) => event.id }),
    eventType: t.field({ type: EventTypeType, resolve: ({ event }) => event.type }),
    responseId: t.id({ resolve: ({ event }) => event.responseId }),
  }),
});

const ReconciliationType = builder.objectRef<ReconciledPage>('Reconciliation').implement({
  description: 'What was accepted, beside what is recorded of it.',
  fields: (t) => ({
    responses: t.exposeInt('responses', { description: 'That came in.' }),
    events: t.exposeInt('events', { description: 'Those of these responses, and all others of the time.' }),
    integrations: t.field({ type: [TallyType], resolve: ({ tallies }) => tallies }),
    missing: t.expose('missing', { type: [MissingType], description: `The first ${maxListed} of them.` }),
    endCursor: t.exposeString('endCursor', { nullable: true, description: 'There is more: ask again with this as `after`, and add up. null: this was all.' }),
  }),
});

builder.queryField('reconcile', (t) =>
  t.field({
    description: `Proves that everything which a form took in a time came to every integration that it was due to, or waits, or is dead. Up to ${maxEvents} events in a call.`,
    type: ReconciliationType,
    args: {
      formId: t.arg.id({ required: true }),
      since: t.arg({ type: 'DateTime', description: 'Accepted then or later; default: a day before `until`.' }),
      until: t.arg({ type: 'DateTime', description: 'Accepted before then; default: now.' }),
      after: t.arg.string({ description: 'The `endCursor` of the answer before.' }),
    },
    extensions: { cost: 20_000 },
    resolve: (_root, args, context) => context.services.completeness.reconcile(context, args),
  }),
);

mutation('repairMissing', {
  description: 'Puts the events of missing deliveries, as `reconcile` finds them, on their way again. Integrations that have got them already get nothing.',
  input: (t) => ({
    formId: t.id({ required: true }),
    since: t.field({ type: 'DateTime', description: 'Default: a day before `until`.' }),
    until: t.field({ type: 'DateTime', description: 'Default: now.' }),
    after: t.string({ description: 'The `endCursor` of the answer before.' }),
  }),
  payload: { count: 'Int', endCursor: 'String' },
  run: (input, context) => context.services.completeness.repair(context, input),
});
