import { builder } from '../graphql/builder.ts';
import { mutation } from '../graphql/mutation.ts';
import type { FormFilesService } from './form-files.service.ts';
import { FormType } from './forms.graphql.ts';

declare module '../graphql/context.ts' {
  interface Services {
    formFiles: FormFilesService;
  }
}

builder.objectField(FormType, 'definition', (t) =>
  t.field({
    description:
      'What the form says and asks, to be kept in a file and imported again, here or elsewhere: { formwire: 1, title, questions: […] }, '
      + 'without ids, status and limits. The same form always gives the same text.',
    type: 'JSON',
    resolve: (form, _args, context) => context.services.formFiles.export(form),
  }),
);

mutation('importForm', {
  description:
    'Makes a form from a definition, open at once. With formId, makes that form into what the definition says: questions are matched by their keys, '
    + 'choices by their texts, sections by their titles, and what is matched keeps its id. One new version, or none where nothing is different.',
  input: (t) => ({
    definition: t.field({ type: 'JSON', required: true, description: 'As Form.definition gives it.' }),
    formId: t.id({ description: 'The form to change. What the definition leaves out is taken away.' }),
  }),
  payload: { form: FormType },
  run: async (input, context) => ({ form: await context.services.formFiles.import(context, input) }),
});

mutation('duplicateForm', {
  description: 'Makes a draft with the same questions, keys, texts, limits and times; without responses and integrations.',
  input: (t) => ({
    id: t.id({ required: true }),
    title: t.string({ description: 'Default: the same.' }),
  }),
  payload: { form: FormType },
  run: async (input, context) => ({ form: await context.services.formFiles.duplicate(context, input) }),
});
