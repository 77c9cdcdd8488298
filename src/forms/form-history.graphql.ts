import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { versionId, type Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { nodeRef } from '../graphql/node.ts';
import type { FieldChange, FormChangeKind } from './form-changes.ts';
import type { ChangeOfForm, FormHistoryService } from './form-history.service.ts';
import { formLoader, FormType } from './forms.graphql.ts';
import { ChoiceType, questionsOf, QuestionType } from './question.graphql.ts';
import { requireOrganizationOf } from './require-organization-of.ts';
import { SectionType } from './section.graphql.ts';

declare module '../graphql/context.ts' {
  interface Services {
    formHistory: FormHistoryService;
  }
}

/** Versions by id; those of other organisations' forms are not found. */
const versionLoader = createLoader((ids: readonly Id<'ver'>[], context) => context.services.formHistory.readMany(context, ids));

export const FormVersionType = nodeRef('FormVersion', { prefix: 'ver', load: versionLoader });
FormVersionType.implement({
  description: 'What a form asked at one time. Never changed; the responses of that time keep to it.',
  fields: (t) => ({
    form: t.field({ type: FormType, resolve: (version, _args, context) => formLoader(context).load(version.formId) as never }),
    number: t.exposeInt('number', { description: 'From 1, without gaps.' }),
    title: t.exposeString('title'),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    createdBy: t.field({
      description: 'Who made it, or made the API key that did; null where this is not known any more.',
      type: UserType,
      nullable: true,
      resolve: ({ createdById }, _args, context) => (createdById ? userLoader(context).load(createdById) : null),
    }),
    questions: t.field({
      description: 'As they were, with their choices.',
      type: [QuestionType],
      resolve: async ({ formId, number }, _args, context) => questionsOf(formId, await context.services.forms.definition(formId, number)),
    }),
  }),
});

const FormVersionConnection = connectionType(FormVersionType);

builder.objectField(FormType, 'versions', (t) =>
  t.connection(
    {
      description: 'What the form asked over time, oldest first; `last: 1` is what it asks now.',
      type: FormVersionType,
      resolve: async (form, args, context) => {
        await requireOrganizationOf(context, form);
        return keysetPage({
          args,
          load: (range) => context.services.formHistory.list(context, { formId: form.id, range }),
          keyOf: (version) => String(version.number),
          isKey: (key) => /^[1-9]\d{0,8}$/.test(key),
        });
      },
    },
    FormVersionConnection,
  ),
);

builder.objectField(FormType, 'versionByNumber', (t) =>
  t.field({
    description: 'What the form asked in one version; null where it has none of this number.',
    type: FormVersionType,
    nullable: true,
    args: { number: t.arg.int({ required: true }) },
    resolve: async (form, { number }, context) => {
      await requireOrganizationOf(context, form);
      return number >= 1 ? versionLoader(context).load(versionId(form.id, number)) : null;
    },
  }),
);

const changeKinds: Record<FormChangeKind, { description?: string }> = {
  FORM_CHANGED: { description: 'Its title, or translations of its title or description.' },
  SECTION_ADDED: {},
  SECTION_REMOVED: {},
  SECTION_MOVED: {},
  SECTION_CHANGED: {},
  QUESTION_ADDED: {},
  QUESTION_REMOVED: {},
  QUESTION_MOVED: { description: 'Stands elsewhere among the questions that both versions have; what merely made way has not moved.' },
  QUESTION_CHANGED: { description: 'Members of a question have other values.' },
  CHOICE_ADDED: {},
  CHOICE_REMOVED: {},
  CHOICE_MOVED: {},
  CHOICE_CHANGED: { description: 'Members of a choice have other values: with `text` it was renamed.' },
};

const FormChangeKindType = builder.enumType('FormChangeKind', { values: changeKinds });

const FieldChangeType = builder.objectRef<FieldChange>('FieldChange').implement({
  description: 'A member that has another value.',
  fields: (t) => ({
    name: t.exposeString('name', { description: 'As in CreateFormInput, SectionInput, QuestionInput and ChoiceInput; `sectionId`: the section of a question.' }),
    before: t.expose('before', { type: 'JSON', nullable: true, description: 'null: none.' }),
    after: t.expose('after', { type: 'JSON', nullable: true, description: 'null: none.' }),
  }),
});

const FormChangeType = builder.objectRef<ChangeOfForm>('FormChange').implement({
  description: 'One thing that is different between two versions of a form.',
  fields: (t) => ({
    kind: t.expose('kind', { type: FormChangeKindType }),
    question: t.field({
      description: 'What was changed, or whose choice; as it is after the change, a removed one as it was. null for the form itself and its sections.',
      type: QuestionType,
      nullable: true,
      resolve: (change) => ('question' in change ? { ...change.question, formId: change.formId, definition: change.definition } : null),
    }),
    section: t.field({
      type: SectionType,
      nullable: true,
      resolve: (change) => ('section' in change ? { ...change.section, formId: change.formId, definition: change.definition } : null),
    }),
    choice: t.field({
      type: ChoiceType,
      nullable: true,
      resolve: (change) => ('choice' in change ? { ...change.choice, questionId: change.question.id } : null),
    }),
    fields: t.field({
      description: 'What has other values, in those that say CHANGED.',
      type: [FieldChangeType],
      resolve: (change) => ('fields' in change ? change.fields : []),
    }),
    from: t.int({ nullable: true, description: 'Its position before, from 0; null for what was added.', resolve: (change) => ('from' in change ? change.from : null) }),
    to: t.int({ nullable: true, description: 'Its position after, from 0; null for what was removed.', resolve: (change) => ('to' in change ? change.to : null) }),
  }),
});

builder.objectField(FormType, 'changes', (t) =>
  t.field({
    description:
      'What makes one version into another, either of which may be the older: the form itself, then its sections, then its questions, each '
      + 'with its choices; of each list what was removed comes first. What was removed and made again is another one.',
    type: [FormChangeType],
    args: { from: t.arg.int({ required: true }), to: t.arg.int({ required: true }) },
    resolve: async (form, { from, to }, context) => {
      await requireOrganizationOf(context, form);
      return context.services.formHistory.changes(form.id, { from, to });
    },
  }),
);
