import type { Flag } from '../events/flag.ts';
import { isId, type Id } from '../events/id.ts';
import { formLoader, FormType } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { isPositionKey, positionKey } from '../graphql/cursor.ts';
import { createLoader } from '../graphql/loader.ts';
import { nodeRef } from '../graphql/node.ts';
import { requireFormOwner } from './require-form-owner.ts';
import type { Collector, Respondent } from './response.entity.ts';
import type { ResponsesService } from './responses.service.ts';

declare module '../graphql/context.ts' {
  interface Services {
    responses: ResponsesService;
  }
}

/** Responses by id; those of other organisations are not found. */
export const responseLoader = createLoader((ids: readonly Id<'resp'>[], context) => context.services.responses.readMany(context, ids));

const RespondentType = builder.objectRef<Respondent>('Respondent').implement({
  description: 'Who answered, as far as they said.',
  fields: (t) => ({
    mobile: t.exposeString('mobile', { nullable: true }),
    email: t.exposeString('email', { nullable: true }),
    name: t.exposeString('name', { nullable: true }),
    key: t.exposeString('key', { nullable: true, description: 'The collector’s own name for the respondent.' }),
  }),
});

const CollectorType = builder.objectRef<Collector>('Collector').implement({
  description: 'Who took the response down, where, and when by the device’s clock.',
  fields: (t) => ({
    userId: t.exposeString('userId', { nullable: true }),
    username: t.exposeString('username', { nullable: true }),
    location: t.exposeString('location', { nullable: true }),
    submittedAt: t.exposeString('submittedAt', { nullable: true, description: 'RFC 3339, in UTC.' }),
    lastModifiedAt: t.exposeString('lastModifiedAt', { nullable: true, description: 'RFC 3339, in UTC.' }),
  }),
});

const FlagType = builder.objectRef<Flag>('Flag').implement({
  description: 'What a rule has against a response. Amend the response so that the rule holds, and it is gone.',
  fields: (t) => ({
    rule: t.exposeString('rule', { description: 'Its name, unique in its integration.' }),
    message: t.exposeString('message', { description: 'For whoever can mend the response.' }),
    keys: t.exposeStringList('keys', { description: 'The keys of the questions it is about.' }),
    integrationId: t.exposeID('integrationId', { description: 'The integration whose rule it is.' }),
  }),
});

export const ResponseType = nodeRef('Response', { prefix: 'resp', load: responseLoader });
ResponseType.implement({
  description: 'What one respondent sent to one form at one time. Never changed: an amendment is another revision of its family.',
  fields: (t) => ({
    clientId: t.exposeString('clientId', { nullable: true, description: 'The client’s own id for it, unique in the form.' }),
    form: t.field({ type: FormType, resolve: (response, _args, context) => formLoader(context).load(response.formId) as never }),
    formVersion: t.exposeInt('formVersion', { description: 'The version of the form it was answered against.' }),
    familyId: t.exposeID('familyId', { description: 'The id of the first revision.' }),
    revision: t.exposeInt('revision', { description: 'From 1; the highest of a family is the current one.' }),
    submittedAt: t.expose('submittedAt', { type: 'DateTime', description: 'When it was accepted, by the server’s clock.' }),
    respondent: t.expose('respondent', { type: RespondentType }),
    collector: t.expose('collector', { type: CollectorType }),
    metadata: t.expose('metadata', { type: 'JSON', nullable: true }),
    flags: t.field({ description: 'What rules had against it when it was accepted.', type: [FlagType], resolve: ({ flags }) => flags ?? [] }),
  }),
});

export const ResponseConnection = connectionType(ResponseType);

export const ReviewStateType = builder.enumType('ReviewState', {
  values: {
    RECEIVED: { value: 'received', description: 'As every response begins, and begins again with each further revision.' },
    IN_REVIEW: { value: 'in review' },
    APPROVED: { value: 'approved' },
    REJECTED: { value: 'rejected' },
  } as const,
});

const ResponseFilterType = builder.inputType('ResponseFilter', {
  description: 'All that is given must hold.',
  fields: (t) => ({
    submittedSince: t.field({ type: 'DateTime', description: 'Accepted then or later.' }),
    submittedUntil: t.field({ type: 'DateTime', description: 'Accepted before then.' }),
    clientId: t.string(),
    collectorUserId: t.string(),
    respondentMobile: t.string({ description: 'Exactly as it was sent.' }),
    reviewState: t.field({ type: ReviewStateType }),
    flagged: t.boolean({ description: 'Whether rules have anything against it.' }),
    flag: t.string({ description: 'The name of a rule that has something against it.' }),
  }),
});

builder.queryField('response', (t) =>
  t.field({
    description: 'A response by its id; null where the viewer’s organisation has none of this id.',
    type: ResponseType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => (isId('resp', id) ? responseLoader(context).load(id) : null),
  }),
);

builder.objectField(FormType, 'responses', (t) =>
  t.connection(
    {
      description: 'Responses in their current revision, in the order in which these came in: a page’s end cursor goes on with what comes in later, and so does `responseCreated(after:)`.',
      type: ResponseType,
      args: { filter: t.arg({ type: ResponseFilterType }) },
      resolve: async (form, args, context) => {
        await requireFormOwner(context, { form, permission: 'responses:read' });
        return keysetPage({
          args,
          load: (range) => context.services.responses.list(context, { formId: form.id, filter: args.filter, range }),
          keyOf: (response) => positionKey(response.position),
          isKey: isPositionKey,
        });
      },
    },
    ResponseConnection,
  ),
);
