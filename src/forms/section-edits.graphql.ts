import { builder } from '../graphql/builder.ts';
import { mutation } from '../graphql/mutation.ts';
import { FormType } from './forms.graphql.ts';
import { sectionChangeFields, SectionInputType, SectionType } from './section.graphql.ts';
import { sectionsOf } from './sections.service.ts';

builder.objectField(FormType, 'sections', (t) =>
  t.field({
    description: 'In their order; questions need not be in one.',
    type: [SectionType],
    resolve: async (form, _args, context) => sectionsOf(form.id, await context.services.forms.definition(form.id, form.version)),
  }),
);

const payload = { section: SectionType, form: FormType };

mutation('addSection', {
  description: 'Adds a section; the form has a new version then.',
  input: (t) => ({
    formId: t.id({ required: true }),
    section: t.field({ type: SectionInputType, required: true }),
    questionIds: t.idList({ description: 'Questions that stand next to each other, in no section yet, and are in this one from now on.' }),
    position: t.int({ description: 'Among the sections, from 0; by default behind them. Not with questionIds.' }),
  }),
  payload,
  run: (input, context) => context.services.sections.add(context, input),
});

mutation('updateSection', {
  description: 'Changes what is given and leaves the rest; null takes away what can be missing. Where anything changes, the form has a new version then.',
  input: (t) => ({
    id: t.id({ required: true }),
    ...sectionChangeFields(t),
    position: t.int({ description: 'Where to move it and its questions among the sections, from 0.' }),
  }),
  payload,
  run: (input, context) => context.services.sections.update(context, input),
});

mutation('removeSection', {
  description: 'Removes a section; its questions stay where they are, in none. The form has a new version then. Answers the section as it was.',
  input: (t) => ({ id: t.id({ required: true }) }),
  payload,
  run: (input, context) => context.services.sections.remove(context, input.id),
});
