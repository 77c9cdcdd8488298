import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { viewerAllowed } from '../accounts/permissions.ts';
import { formLoader } from '../forms/forms.graphql.ts';
import { builder } from '../graphql/builder.ts';
import { keysetPage } from '../graphql/connection.ts';
import { mutation } from '../graphql/mutation.ts';
import { requireFormOwner } from './require-form-owner.ts';
import { ResponseConnection, ResponseType } from './responses.graphql.ts';
import { AnswerInputType, RespondentInputType } from './submit.graphql.ts';

mutation('amendResponse', {
  description:
    'Makes the next revision of a response, for those who may change the responses of its organisation, whatever its form takes now. ' +
    'REVISION_CONFLICT where another one was first. An API key that may not read responses is answered no response.',
  input: (t) => ({
    responseId: t.id({ required: true, description: 'Any revision of the response.' }),
    expectedRevision: t.int({ required: true, description: 'The number of the current revision, as you have read it.' }),
    answers: t.field({
      type: [AnswerInputType],
      description:
        'Each takes the place of the answer to its question; null as its value takes the answer away. Questions that are not named keep theirs. ' +
        'All of it is checked against the form’s present version; answers to questions that are gone stay behind in the earlier revision.',
    }),
    respondent: t.field({ type: RespondentInputType, description: 'Takes the place of all that is known of the respondent. Absent: stays.' }),
    metadata: t.field({ type: 'JSON', description: 'Takes the place of all metadata. Absent: stays.' }),
    clientId: t.string({ description: 'The client’s own id of this amendment, unique in the form. Sent again, the first result is answered and nothing happens.' }),
  }),
  payload: { response: ResponseType },
  isLogged: false,
  run: async (input, context) => {
    const response = await context.services.responses.amend(context, input);
    return viewerAllowed(context, 'responses:read') ? { response } : {}; // what stays was not sent by this caller
  },
});

builder.objectFields(ResponseType, (t) => ({
  amendedBy: t.field({
    description: 'The member who made this revision of an earlier one; where a program did, who made its API key. null for what was submitted.',
    type: UserType,
    nullable: true,
    resolve: ({ amendedById }, _args, context) => (amendedById ? userLoader(context).load(amendedById) : null),
  }),
  amendedAt: t.field({
    description: 'null for what was submitted.',
    type: 'DateTime',
    nullable: true,
    resolve: ({ amendedById, submittedAt }) => (amendedById ? submittedAt : null),
  }),
}));

builder.objectField(ResponseType, 'revisions', (t) =>
  t.connection(
    {
      description: 'All revisions of the response, this one among them, from the first to the current one. Only for the organisation of the form.',
      type: ResponseType,
      resolve: async ({ familyId, formId }, args, context) => {
        await requireFormOwner(context, { form: await formLoader(context).load(formId), permission: 'responses:read' });
        return keysetPage({
          args,
          load: (range) => context.services.responses.listRevisions(context, { familyId, range }),
          keyOf: (response) => String(response.revision),
          isKey: (key) => /^[1-9]\d{0,8}$/.test(key),
        });
      },
    },
    ResponseConnection,
  ),
);
