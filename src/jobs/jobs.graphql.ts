import type { Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { integrationLoader, IntegrationType } from '../integrations/integrations.graphql.ts';
import { maxShown } from './job-rows.ts';
import type { JobResult } from './job.entity.ts';
import type { JobsService } from './jobs.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    jobs: JobsService;
  }
}

export const jobLoader = createLoader((ids: readonly Id<'job'>[], context) => context.services.jobs.readMany(context, ids));
const ofIntegrationLoader = createLoader((ids: readonly Id<'intg'>[], context) => context.services.jobs.ofIntegrations(context, ids));

const JobKindType = builder.enumType('JobKind', {
  values: {
    CONNECT: { value: 'connect', description: 'Makes outside what the integration and its form need.' },
    DISCONNECT: { value: 'disconnect', description: 'Takes it away again.' },
    BACKFILL: { value: 'backfill', description: 'Delivers responses from before.' },
    VERIFY: { value: 'verify', description: 'Compares what is outside with the responses.' },
    REPLAY: { value: 'replay', description: 'Sends events of before again: a part of a replay.' },
  } as const,
});

const JobStatusType = builder.enumType('JobStatus', {
  values: {
    WAITING: { value: 'waiting', description: 'Nothing was done yet.' },
    RUNNING: { value: 'running', description: 'Begun; while it is held up, the reason says by what.' },
    DONE: { value: 'done' },
    FAILED: { value: 'failed', description: 'Given up, as the reason says.' },
    CANCELED: { value: 'canceled' },
  } as const,
});

const JobDifferenceType = builder.objectRef<JobResult['differences'][number]>('JobDifference').implement({
  description: 'A response that is not outside as it should be.',
  fields: (t) => ({
    responseId: t.exposeID('responseId'),
    difference: t.exposeString('difference', { description: 'In a sentence.' }),
  }),
});

export const JobType = nodeRef('Job', { prefix: 'job', load: jobLoader });
JobType.implement({
  description: 'Work of an integration that goes on in the background. It is forgotten thirty days after its end, unless the installation says otherwise; a part of a replay is not.',
  fields: (t) => ({
    kind: t.expose('kind', { type: JobKindType }),
    status: t.expose('status', { type: JobStatusType }),
    reason: t.exposeString('reason', { nullable: true, description: 'What it waits for, or why it was given up.' }),
    integration: t.field({ type: IntegrationType, nullable: true, resolve: ({ integrationId }, _args, context) => integrationLoader(context).load(integrationId) }),
    total: t.int({ nullable: true, description: 'Responses, or events, to look at; null until they are counted.', resolve: ({ progress }) => progress.total ?? null }),
    done: t.int({ description: 'Those that were looked at.', resolve: ({ progress }) => progress.done }),
    delivered: t.int({ description: 'Of the deliveries that it made.', resolve: ({ progress, pending, dead, canceled }) => Math.max(0, progress.made - pending - dead - canceled) }),
    pending: t.exposeInt('pending'),
    dead: t.exposeInt('dead'),
    canceled: t.exposeInt('canceled'),
    differing: t.int({ nullable: true, description: 'Responses that were not outside as they should be.', resolve: ({ result }) => result?.differing ?? null }),
    differences: t.field({ description: 'The first 100 of them.', type: [JobDifferenceType], resolve: ({ result }) => result?.differences ?? [] }),
    surplus: t.int({ nullable: true, description: 'What was outside and should not have been.', resolve: ({ result }) => result?.surplus ?? null }),
    surplusFound: t.stringList({ description: 'The first 100 of it, in a sentence each.', resolve: ({ result }) => result?.surplusFound ?? [] }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    startedAt: t.expose('startedAt', { type: 'DateTime', nullable: true }),
    nextAttemptAt: t.expose('nextAttemptAt', { type: 'DateTime', nullable: true, description: 'When its next step is due.' }),
    finishedAt: t.expose('finishedAt', { type: 'DateTime', nullable: true }),
  }),
});

builder.objectField(IntegrationType, 'jobs', (t) =>
  t.field({
    description: `Its newest ${maxShown}, newest first. Empty for partners.`,
    type: [JobType],
    resolve: async ({ id }, _args, context) => (await ofIntegrationLoader(context).load(id)) ?? [],
  }),
);

mutation('startBackfill', {
  description: 'Lets an integration have responses that it has not got, such as those from before it was there: each as it is now, in a `response.created` of its own.',
  input: (t) => ({
    integrationId: t.id({ required: true }),
    since: t.field({ type: 'DateTime', description: 'Submitted then or later.' }),
    until: t.field({ type: 'DateTime', description: 'Submitted before then. Default: now.' }),
    again: t.boolean({ description: 'true: also what it has got, or is about to.' }),
  }),
  payload: { job: JobType },
  run: async (input, context) => ({ job: await context.services.jobs.startBackfill(context, input) }),
});

mutation('cancelBackfill', {
  description: 'Ends a backfill, or a comparison, with what it has pending.',
  input: (t) => ({ id: t.id({ required: true, description: 'Of the job.' }) }),
  payload: { job: JobType },
  run: async ({ id }, context) => ({ job: await context.services.jobs.cancel(context, id) }),
});

mutation('verifySheet', {
  description: 'Compares what is outside, such as a spreadsheet, with the responses.',
  input: (t) => ({
    integrationId: t.id({ required: true }),
    repair: t.boolean({ description: 'true: what differs is delivered again.' }),
  }),
  payload: { job: JobType },
  run: async (input, context) => ({ job: await context.services.jobs.startVerify(context, input) }),
});
