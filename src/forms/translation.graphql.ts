import { builder } from '../graphql/builder.ts';
import { UserError } from '../user-error.ts';
import type { Translation } from './form-definition.ts';
import { canonicalLocale, translated } from './translations.ts';

type Arguments = Parameters<Parameters<typeof builder.objectField>[2]>[0]['arg'];

export const TranslationType = builder.objectRef<Translation>('Translation').implement({
  description: 'A text in another language.',
  fields: (t) => ({
    locale: t.exposeString('locale', { description: 'A BCP 47 tag, such as hi or pt-BR.' }),
    text: t.exposeString('text'),
  }),
});

export const TranslationInputType = builder.inputType('TranslationInput', {
  fields: (t) => ({
    locale: t.string({ required: true, description: 'A BCP 47 tag, such as hi or pt-BR.' }),
    text: t.string({ required: true }),
  }),
});

/** The argument of a text that may be translated. */
export const localeArgument = (arg: Arguments) => ({
  locale: arg.string({ description: 'A BCP 47 tag: the translation for it, else for its language, else the form’s own text.' }),
});

/** A text as a locale asks for it: its translation, else itself. Throws UserError for a locale that is none. */
export function inLocale<Text extends string | null>(text: Text, translations: readonly Translation[] | undefined, locale: string | null | undefined): Text | string {
  if (locale === null || locale === undefined) return text;
  const canonical = canonicalLocale(locale);
  if (canonical === undefined) throw new UserError('INVALID_INPUT', 'Write a locale by BCP 47, such as "hi" or "pt-BR".', ['locale']);
  return translated(translations, canonical) ?? text;
}
