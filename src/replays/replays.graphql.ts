import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { isId, type Id } from '../events/id.ts';
import { formLoader, FormType } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation, payloadType } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { EventTypeType, integrationLoader, IntegrationType } from '../integrations/integrations.graphql.ts';
import { jobLoader, JobType } from '../jobs/jobs.graphql.ts';
import { requireFormOwner } from '../responses/require-form-owner.ts';
import { maxEvents, maxIntegrations, type ReplayEndpoint } from './plan-replay.ts';
import { defaultRate, mostRate } from './replay-task.ts';
import type { ReplayAction } from './replay.entity.ts';
import type { ReplaysService, ShownPlan } from './replays.service.ts';
import { tokenLifeMs } from './token.ts';

declare module '../graphql/context.ts' {
  interface Services {
    replays: ReplaysService;
  }
}

export const replayLoader = createLoader((ids: readonly Id<'rpl'>[], context) => context.services.replays.readMany(context, ids));

const ReplayModeType = builder.enumType('ReplayMode', {
  values: {
    MISSED: { value: 'missed', description: 'What was due and was not delivered: what is dead, and what is nowhere.' },
    EVERYTHING: { value: 'everything', description: 'Also what was delivered.' },
  } as const,
});

const ReplayStatusType = builder.enumType('ReplayStatus', {
  values: {
    RUNNING: { value: 'running' },
    PAUSED: { value: 'paused', description: 'Nothing more is sent again until it is resumed; what is pending goes out.' },
    DONE: { value: 'done', description: 'Everything is delivered again, or dead.' },
    FAILED: { value: 'failed', description: 'It has ended, and to an integration not everything was sent: see `jobs`.' },
    CANCELED: { value: 'canceled' },
  } as const,
});

const ReplayActorType = builder.enumType('ReplayActor', {
  values: { MEMBER: { value: 'member' }, KEY: { value: 'key' }, OPERATOR: { value: 'operator', description: 'Who runs the installation.' } } as const,
});
const ReplayActionKindType = builder.enumType('ReplayActionKind', {
  values: { STARTED: { value: 'started' }, PAUSED: { value: 'paused' }, RESUMED: { value: 'resumed' }, CANCELED: { value: 'canceled' } } as const,
});

const ReplayActionType = builder.objectRef<ReplayAction>('ReplayAction').implement({
  description: 'What somebody did with a replay.',
  fields: (t) => ({
    action: t.expose('action', { type: ReplayActionKindType }),
    at: t.field({ type: 'DateTime', resolve: ({ at }) => new Date(at) }),
    by: t.expose('by', { type: ReplayActorType }),
    user: t.field({
      description: 'Who that was, or who made the API key; null where it was nobody of the organisation.',
      type: UserType,
      nullable: true,
      resolve: ({ userId }, _args, context) => (userId ? userLoader(context).load(userId) : null),
    }),
  }),
});

const ReplayEndpointType = builder.objectRef<ReplayEndpoint>('ReplayEndpoint').implement({
  description: 'What a replay would send to one integration.',
  fields: (t) => ({
    integration: t.field({ type: IntegrationType, nullable: true, resolve: ({ integrationId }, _args, context) => integrationLoader(context).load(integrationId) }),
    count: t.exposeInt('count'),
    first: t.expose('first', { type: 'DateTime', nullable: true, description: 'When the first of these events was accepted.' }),
    last: t.expose('last', { type: 'DateTime', nullable: true }),
    reachesPeople: t.exposeBoolean('reachesPeople', { description: 'true: messages to people, which are sent again only with `sendSms`.' }),
    estimatedSeconds: t.int({ description: 'At least; a slow receiver takes longer.', resolve: ({ estimatedMs }) => Math.ceil(estimatedMs / 1_000) }),
  }),
});

const datesOf = (endpoints: readonly ReplayEndpoint[], which: 'first' | 'last'): Date[] =>
  endpoints.flatMap((one) => one[which] ?? []).toSorted((one, other) => one.getTime() - other.getTime());

const ReplayPreviewType = builder.objectRef<ShownPlan>('ReplayPreview').implement({
  description: 'What a replay would send. Nothing is sent yet.',
  fields: (t) => ({
    token: t.exposeString('token', { description: `Starts it, by whoever has asked for this, for ${tokenLifeMs / 60_000} minutes.` }),
    expiresAt: t.expose('expiresAt', { type: 'DateTime' }),
    count: t.int({ description: 'Deliveries, to all integrations.', resolve: ({ endpoints }) => endpoints.reduce((sum, { count }) => sum + count, 0) }),
    first: t.field({ type: 'DateTime', nullable: true, resolve: ({ endpoints }) => datesOf(endpoints, 'first').at(0) ?? null }),
    last: t.field({ type: 'DateTime', nullable: true, resolve: ({ endpoints }) => datesOf(endpoints, 'last').at(-1) ?? null }),
    estimatedSeconds: t.int({ description: 'All integrations at a time: as long as the longest.', resolve: ({ endpoints }) => Math.ceil(Math.max(0, ...endpoints.map(({ estimatedMs }) => estimatedMs)) / 1_000) }),
    endpoints: t.expose('endpoints', { type: [ReplayEndpointType] }),
  }),
});

export const ReplayType = nodeRef('Replay', { prefix: 'rpl', load: replayLoader });
ReplayType.implement({
  description: 'A stretch of a form’s events that is sent again. It is kept, with who did what to it.',
  fields: (t) => ({
    form: t.field({ type: FormType, nullable: true, resolve: ({ formId }, _args, context) => formLoader(context).load(formId) }),
    status: t.expose('status', { type: ReplayStatusType }),
    reason: t.exposeString('reason', { nullable: true, description: 'What a part of it waits for, or why that was given up.' }),
    mode: t.field({ type: ReplayModeType, resolve: ({ task }) => task.mode }),
    eventTypes: t.field({ type: [EventTypeType], resolve: ({ task }) => task.eventTypes }),
    since: t.field({ type: 'DateTime', resolve: ({ task }) => new Date(task.since) }),
    until: t.field({ type: 'DateTime', resolve: ({ task }) => new Date(task.until) }),
    rate: t.int({ description: 'Deliveries a second to each integration, at most.', resolve: ({ task }) => task.rate }),
    sendSms: t.exposeBoolean('sendSms'),
    total: t.exposeInt('total', { description: 'Deliveries that its preview found.' }),
    made: t.exposeInt('made', { description: 'Those that it has begun to send again.' }),
    delivered: t.int({ description: 'Of these.', resolve: ({ made, pending, dead, canceled }) => Math.max(0, made - pending - dead - canceled) }),
    pending: t.exposeInt('pending'),
    dead: t.exposeInt('dead'),
    canceled: t.exposeInt('canceled'),
    jobs: t.field({
      description: 'Its parts, one for each integration.',
      type: [JobType],
      resolve: async ({ jobIds }, _args, context) => (await Promise.all(jobIds.map((id) => jobLoader(context).load(id)))).filter((job) => job !== undefined),
    }),
    actions: t.field({ description: 'Everything that was done with it, oldest first.', type: [ReplayActionType], resolve: ({ actions }) => actions }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
  }),
});

const ReplayConnection = connectionType(ReplayType);

builder.objectField(FormType, 'replays', (t) =>
  t.connection(
    {
      description: 'Oldest first; `last` begins with the newest.',
      type: ReplayType,
      resolve: async (form, args, context) => {
        await requireFormOwner(context, { form, permission: 'replays:read' });
        return keysetPage({
          args,
          load: (range) => context.services.replays.list(context, { formId: form.id, range }),
          keyOf: (replay) => replay.id,
          isKey: (key) => isId('rpl', key),
        });
      },
    },
    ReplayConnection,
  ),
);

mutation('previewReplay', {
  description: `Shows what would be sent again of a form's events, to whom they were due, out of a range of at most ${maxEvents}. Nothing is sent or saved.`,
  input: (t) => ({
    formId: t.id({ required: true }),
    integrationIds: t.idList({ description: `At most ${maxIntegrations}. Default: all that get deliveries of the form.` }),
    eventTypes: t.field({ type: [EventTypeType], description: 'Default: all.' }),
    since: t.field({ type: 'DateTime', description: 'Accepted then or later. Give this, or `after`, or both.' }),
    until: t.field({ type: 'DateTime', description: 'Accepted before then. Default: now.' }),
    after: t.string({ description: 'A cursor of the form’s responses or of a subscription: what comes after it.' }),
    through: t.string({ description: 'A cursor: what comes up to it, and what it stands at.' }),
    mode: t.field({ type: ReplayModeType, required: true }),
    rate: t.int({ description: `Deliveries a second to each integration, at most: 1 to ${mostRate}. Default: ${defaultRate}.` }),
  }),
  payload: { preview: ReplayPreviewType },
  cost: 20_000,
  isLogged: false,
  run: async (input, context) => ({ preview: await context.services.replays.preview(context, input) }),
});

const ReplayPayload = payloadType('ReplayPayload', { replay: ReplayType });

mutation('startReplay', {
  description: 'Starts what a preview has shown. The same token again answers the same replay.',
  input: (t) => ({
    token: t.string({ required: true }),
    rate: t.int({ description: 'Default: that of the preview.' }),
    sendSms: t.boolean({ description: 'true: messages to people too. Default: false.' }),
  }),
  payload: ReplayPayload,
  run: async (input, context) => ({ replay: await context.services.replays.start(context, input) }),
});

const changes = [
  { name: 'pauseReplay', does: 'pause', description: 'Lets a replay send nothing more until it is resumed. What it has pending goes out.' },
  { name: 'resumeReplay', does: 'resume', description: 'Lets a paused replay go on where it was.' },
  { name: 'cancelReplay', does: 'cancel', description: 'Ends a replay, with what it has pending: that is then as it was before.' },
] as const;

for (const { name, does, description } of changes) {
  mutation(name, {
    description,
    input: (t) => ({ id: t.id({ required: true }) }),
    payload: ReplayPayload,
    run: async ({ id }, context) => ({ replay: await context.services.replays[does](context, id) }),
  });
}
