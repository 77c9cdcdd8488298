import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { mutation } from '../graphql/mutation.ts';
import { ResponseType } from './responses.graphql.ts';

mutation('eraseResponse', {
  description:
    'Removes what a response says, and who said it, in all its revisions, for good; of a deleted form too. What is left is its ids and times, ' +
    'and who erased it. What was still to be delivered is canceled; what receivers have got, they keep: RESPONSE_DELETED tells them. ' +
    'The same again changes nothing.',
  input: (t) => ({ responseId: t.id({ required: true, description: 'Any revision of the response.' }) }),
  payload: { response: ResponseType },
  run: async ({ responseId }, context) => ({ response: await context.services.responses.erase(context, responseId) }),
});

builder.objectFields(ResponseType, (t) => ({
  erasedAt: t.expose('erasedAt', {
    type: 'DateTime',
    nullable: true,
    description: 'Since then this is what is left of it: lists show it no more, and it has no answers, respondent, collector, metadata and clientId.',
  }),
  erasedBy: t.field({
    type: UserType,
    nullable: true,
    resolve: ({ erasedById }, _args, context) => (erasedById ? userLoader(context).load(erasedById) : null),
  }),
}));
