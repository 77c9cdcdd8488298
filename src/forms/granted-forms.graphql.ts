import { InvitationType } from '../accounts/invitations.graphql.ts';
import { MemberType } from '../accounts/members.graphql.ts';
import { isId } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { keysetPage } from '../graphql/connection.ts';
import { FormConnection, formLoader, FormType } from './forms.graphql.ts';

builder.objectField(MemberType, 'forms', (t) =>
  t.connection(
    {
      description: 'What is granted to a partner, oldest first; empty for others, who have all forms. Only from within the organisation.',
      type: FormType,
      resolve: (member, args, context) =>
        keysetPage({
          args,
          load: (range) => context.services.forms.listGranted(context, { member, range }),
          keyOf: (form) => form.id,
          isKey: (key) => isId('form', key),
        }),
    },
    FormConnection,
  ),
);

builder.objectField(InvitationType, 'forms', (t) =>
  t.field({
    description: 'What a partner is to be granted.',
    type: [FormType],
    resolve: async ({ formIds }, _args, context) => {
      const forms = await Promise.all(formIds.map((id) => formLoader(context).load(id)));
      return forms.filter((form) => form !== undefined);
    },
  }),
);
