import { userLoader, UserType } from '../accounts/accounts.graphql.ts';
import { isId, type Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { connectionType, keysetPage } from '../graphql/connection.ts';
import { createLoader } from '../graphql/loader.ts';
import { mutation } from '../graphql/mutation.ts';
import { nodeRef } from '../graphql/node.ts';
import type { Context } from '../graphql/context.ts';
import type { FormDefinition } from './form-definition.ts';
import type { Form } from './form.entity.ts';
import type { FormsService } from './forms.service.ts';
import { QuestionInputType, QuestionType, questionsOf } from './question.graphql.ts';
import { NewSectionInputType } from './section.graphql.ts';
import { inLocale, localeArgument, TranslationInputType, TranslationType } from './translation.graphql.ts';
import { localesOf } from './translations.ts';

declare module '../graphql/context.ts' {
  interface Services {
    forms: FormsService;
  }
}

/** Forms by id, whoever asks; deleted ones are not found. */
export const formLoader = createLoader((ids: readonly Id<'form'>[], context) => context.services.forms.readMany(context, ids));

/** Forms by id that the viewer reaches as a member of their organisation. */
export const reachedFormLoader = createLoader((ids: readonly Id<'form'>[], context) => context.services.forms.readReached(context, ids));

export const FormStatusType = builder.enumType('FormStatus', {
  values: {
    DRAFT: { value: 'draft', description: 'Is still being made: takes no responses yet.' },
    OPEN: { value: 'open', description: 'Takes responses, from opensAt on and until closesAt.' },
    CLOSING: {
      value: 'closing',
      description:
        'Takes only what was begun before it stopped, and comes in late from devices that were offline: responses whose collector.submittedAt or '
        + 'lastModifiedAt, the earlier of those given, is before closesAt or closingSince, the earlier of those set.',
    },
    CLOSED: { value: 'closed', description: 'Takes none now.' },
  } as const,
});

const RespondentIdentityType = builder.enumType('RespondentIdentity', {
  description: 'By what a form tells respondents apart.',
  values: {
    MOBILE: { value: 'mobile', description: 'respondent.mobile, with + and the country’s code, however it is written.' },
    EMAIL: { value: 'email', description: 'respondent.email, in capital letters or small ones.' },
    KEY: { value: 'key', description: 'respondent.key, exactly as the collector gives it.' },
  } as const,
});

const definitionOf = (form: Pick<Form, 'id' | 'version'>, { services }: Context): Promise<FormDefinition> => services.forms.definition(form.id, form.version);

export const FormType = nodeRef('Form', { prefix: 'form', load: formLoader });
FormType.implement({
  description: 'A questionnaire. Anyone who has its id may read and answer it; its organisation changes it.',
  fields: (t) => ({
    title: t.string({
      args: localeArgument(t.arg),
      resolve: async (form, { locale }, context) => (locale ? inLocale(form.title, (await definitionOf(form, context)).titleTranslations, locale) : form.title),
    }),
    titleTranslations: t.field({ type: [TranslationType], resolve: async (form, _args, context) => (await definitionOf(form, context)).titleTranslations ?? [] }),
    description: t.string({
      nullable: true,
      args: localeArgument(t.arg),
      resolve: async (form, { locale }, context) =>
        locale ? inLocale(form.description ?? null, (await definitionOf(form, context)).descriptionTranslations, locale) : form.description,
    }),
    descriptionTranslations: t.field({ type: [TranslationType], resolve: async (form, _args, context) => (await definitionOf(form, context)).descriptionTranslations ?? [] }),
    locales: t.stringList({
      description: 'All locales into which any of its texts is translated.',
      resolve: async (form, _args, context) => localesOf(await definitionOf(form, context)),
    }),
    email: t.exposeString('email', { nullable: true, description: 'Whom to ask about the form.' }),
    metadata: t.expose('metadata', { type: 'JSON', nullable: true }),
    status: t.expose('status', { type: FormStatusType }),
    opensAt: t.expose('opensAt', { type: 'DateTime', nullable: true, description: 'Takes responses from then on, by the database’s clock.' }),
    closesAt: t.expose('closesAt', { type: 'DateTime', nullable: true, description: 'Takes none from then on, by the database’s clock.' }),
    maxResponses: t.exposeInt('maxResponses', { nullable: true, description: 'Takes so many responses and no more; further revisions do not count.' }),
    oneResponsePer: t.expose('oneResponsePer', { type: RespondentIdentityType, nullable: true, description: 'Takes one response of each respondent.' }),
    closingSince: t.expose('closingSince', { type: 'DateTime', nullable: true, description: 'When its status became CLOSING.' }),
    version: t.exposeInt('version', { description: 'Grows with each change of the title, the sections, the questions, their choices, or a translation.' }),
    createdAt: t.expose('createdAt', { type: 'DateTime' }),
    updatedAt: t.expose('updatedAt', { type: 'DateTime' }),
    owner: t.field({
      description: 'Who made it; only for those of the same organisation.',
      type: UserType,
      nullable: true,
      resolve: (form, _args, context) => userLoader(context).load(form.ownerId),
    }),
    questions: t.field({
      type: [QuestionType],
      resolve: async (form, _args, context) => questionsOf(form.id, await definitionOf(form, context)),
    }),
  }),
});

export const FormConnection = connectionType(FormType);

builder.queryField('form', (t) =>
  t.field({
    description: 'A form by its id; null where there is none.',
    type: FormType,
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => (isId('form', id) ? formLoader(context).load(id) : null),
  }),
);

builder.queryField('forms', (t) =>
  t.connection(
    {
      description: 'The forms of the viewer’s organisation, to a partner those granted to it, oldest first.',
      type: FormType,
      resolve: (_root, args, context) =>
        keysetPage({
          args,
          load: (range) => context.services.forms.list(context, range),
          keyOf: (form) => form.id,
          isKey: (key) => isId('form', key),
        }),
    },
    FormConnection,
  ),
);

mutation('createForm', {
  description: 'Makes a form of the viewer’s organisation. It is open at once unless `status` says otherwise.',
  input: (t) => ({
    title: t.string({ required: true }),
    titleTranslations: t.field({ type: [TranslationInputType] }),
    description: t.string(),
    descriptionTranslations: t.field({ type: [TranslationInputType] }),
    email: t.string(),
    metadata: t.field({ type: 'JSON' }),
    status: t.field({ type: FormStatusType, description: 'Default: OPEN.' }),
    opensAt: t.field({ type: 'DateTime', description: 'Responses are taken from then on.' }),
    closesAt: t.field({ type: 'DateTime', description: 'Responses are taken until right before then.' }),
    maxResponses: t.int({ description: 'So many responses are taken and no more. At least 1.' }),
    oneResponsePer: t.field({ type: RespondentIdentityType, description: 'One response is taken of each respondent, who must say this of themselves.' }),
    questions: t.field({ type: [QuestionInputType], required: true, description: 'Those in no section; the sections come after them.' }),
    sections: t.field({ type: [NewSectionInputType] }),
  }),
  payload: { form: FormType },
  run: async (input, context) => ({ form: await context.services.forms.create(context, input) }),
});

mutation('updateForm', {
  description: 'Changes what is given and leaves the rest.',
  input: (t) => ({
    id: t.id({ required: true }),
    title: t.string(),
    titleTranslations: t.field({ type: [TranslationInputType], description: 'All of them; those not named are removed.' }),
    description: t.string({ description: 'null: none.' }),
    descriptionTranslations: t.field({ type: [TranslationInputType], description: 'All of them; those not named are removed.' }),
    email: t.string({ description: 'null: none.' }),
    metadata: t.field({ type: 'JSON' }),
    status: t.field({ type: FormStatusType }),
    opensAt: t.field({ type: 'DateTime', description: 'null: at any time.' }),
    closesAt: t.field({ type: 'DateTime', description: 'null: never.' }),
    maxResponses: t.int({ description: 'Of all the form has taken so far. null: any number.' }),
    oneResponsePer: t.field({ type: RespondentIdentityType, description: 'Of those taken from now on; null: any number of each.' }),
  }),
  payload: { form: FormType },
  run: async (input, context) => ({ form: await context.services.forms.update(context, input) }),
});

mutation('deleteForm', {
  description: 'Takes a form away: it cannot be read or answered any more. Answers the form as it was.',
  input: (t) => ({ id: t.id({ required: true }) }),
  payload: { form: FormType },
  run: async (input, context) => ({ form: await context.services.forms.delete(context, input.id) }),
});
