import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { isId, type Id } from '../events/id.ts';
import { formLoader } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import { requireFormOwner } from './require-form-owner.ts';
import { ResponseType, ReviewStateType } from './responses.graphql.ts';
import { maxCommentLength, type ReviewRow } from './reviews.ts';

const stateLoader = createLoader((ids: readonly Id<'resp'>[], context) => context.services.responses.reviewStates(context, ids));

const reviewLoader = createLoader((ids: readonly Id<'rvw'>[], context) => context.services.responses.readReviews(context, ids));

const ReviewType = nodeRef<'rvw', ReviewRow>('Review', { prefix: 'rvw', load: reviewLoader });
ReviewType.implement({
  description: 'What a member found of a response.',
  fields: (t) => ({
    state: t.expose('state', { type: ReviewStateType }),
    comment: t.exposeString('comment', { nullable: true }),
    revision: t.exposeInt('revision', { description: 'The current one then: what was looked at.' }),
    by: t.field({ type: UserType, nullable: true, resolve: ({ reviewedById }, _args, context) => userLoader(context).load(reviewedById) }),
    at: t.expose('createdAt', { type: 'DateTime' }),
  }),
});

const ReviewConnection = connectionType(ReviewType);

mutation('setReviewState', {
  description: 'Says where a response stands in the review. Of two at once the later counts; `reviews` keeps both.',
  input: (t) => ({
    responseId: t.id({ required: true, description: 'The current revision, which you have looked at: REVISION_CONFLICT where the response has gone on since.' }),
    state: t.field({ type: ReviewStateType, required: true }),
    comment: t.string({ description: `At most ${maxCommentLength} characters.` }),
  }),
  payload: { response: ResponseType },
  run: async (input, context) => ({ response: await context.services.responses.setReviewState(context, input) }),
});

builder.objectField(ResponseType, 'reviewState', (t) =>
  t.field({
    description: 'Of the response as a whole, whichever revision this is. Only for the organisation of the form.',
    type: ReviewStateType,
    resolve: async ({ familyId, formId }, _args, context) => {
      await requireFormOwner(context, { form: await formLoader(context).load(formId), permission: 'responses:read' });
      return (await stateLoader(context).load(familyId)) ?? 'received';
    },
  }),
);

builder.objectField(ResponseType, 'reviews', (t) =>
  t.connection(
    {
      description: 'All that members found of the response, in all its revisions, oldest first. Only for the organisation of the form.',
      type: ReviewType,
      resolve: async ({ familyId, formId }, args, context) => {
        await requireFormOwner(context, { form: await formLoader(context).load(formId), permission: 'responses:read' });
        return keysetPage({
          args,
          load: (range) => context.services.responses.listReviews(context, { familyId, range }),
          keyOf: (review) => review.id,
          isKey: (key) => isId('rvw', key),
        });
      },
    },
    ReviewConnection,
  ),
);
