import type { Id } from '../events/id.ts';
import { builder } from '../graphql/builder.ts';
import { createLoader } from '../graphql/loader.ts';
import { nodeRef } from '../graphql/node.ts';
import { QuestionInputType, questionsOf, QuestionType } from './question.graphql.ts';
import { sectionsOf, type SectionsService } from './sections.service.ts';
import { inLocale, localeArgument, TranslationInputType, TranslationType } from './translation.graphql.ts';

declare module '../graphql/context.ts' {
  interface Services {
    sections: SectionsService;
  }
}

/** Sections by id, as they are now. */
const sectionLoader = createLoader((ids: readonly Id<'sec'>[], context) => context.services.sections.readMany(context, ids));

export const SectionType = nodeRef('Section', { prefix: 'sec', load: sectionLoader });
SectionType.implement({
  description: 'A part of a form under a title of its own.',
  fields: (t) => ({
    title: t.string({ args: localeArgument(t.arg), resolve: ({ title, titleTranslations }, { locale }) => inLocale(title, titleTranslations, locale) }),
    titleTranslations: t.field({ type: [TranslationType], resolve: ({ titleTranslations }) => titleTranslations ?? [] }),
    description: t.string({
      nullable: true,
      args: localeArgument(t.arg),
      resolve: ({ description, descriptionTranslations }, { locale }) => inLocale(description, descriptionTranslations, locale),
    }),
    descriptionTranslations: t.field({ type: [TranslationType], resolve: ({ descriptionTranslations }) => descriptionTranslations ?? [] }),
    visibleWhen: t.exposeString('visibleWhen', {
      nullable: true,
      description: 'A condition in CEL over the keys of questions before it: where it is not true, none of its questions is asked.',
    }),
    metadata: t.expose('metadata', { type: 'JSON', nullable: true }),
    questions: t.field({
      type: [QuestionType],
      resolve: ({ id, formId, definition }) => questionsOf(formId, definition).filter(({ sectionId }) => sectionId === id),
    }),
  }),
});

builder.objectField(QuestionType, 'section', (t) =>
  t.field({
    description: 'What it belongs to; null: no section.',
    type: SectionType,
    nullable: true,
    resolve: ({ sectionId, formId, definition }, _args, context) => {
      if (sectionId === undefined) return null;
      return definition ? sectionsOf(formId, definition).find(({ id }) => id === sectionId) : sectionLoader(context).load(sectionId);
    },
  }),
);

const texts = (t: Parameters<Parameters<typeof builder.inputType>[1]['fields']>[0]) => ({
  titleTranslations: t.field({ type: [TranslationInputType] }),
  description: t.string(),
  descriptionTranslations: t.field({ type: [TranslationInputType] }),
  visibleWhen: t.string({ description: 'A condition in CEL over the keys of questions before it, such as: age >= 18' }),
  metadata: t.field({ type: 'JSON' }),
});

export const SectionInputType = builder.inputType('SectionInput', {
  fields: (t) => ({ title: t.string({ required: true }), ...texts(t) }),
});

export const NewSectionInputType = builder.inputType('NewSectionInput', {
  description: 'A section of a new form, with its questions.',
  fields: (t) => ({ title: t.string({ required: true }), ...texts(t), questions: t.field({ type: [QuestionInputType], required: true }) }),
});

/** The same members for a change, each of which may be absent. */
export const sectionChangeFields = (t: Parameters<typeof texts>[0]) => ({ title: t.string(), ...texts(t) });
