import type { FormDefinition, Translation } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';

export interface TranslationInput {
  locale: string;
  text: string;
}

/** BCP 47 allows for longer ones, of private parts that nobody reads. */
const maxLocaleLength = 35;

/** A BCP 47 tag in its canonical writing: `hi-in` → `hi-IN`; undefined where it is none. */
export function canonicalLocale(tag: string): string | undefined {
  if (tag.length > maxLocaleLength) return undefined;
  try {
    return Intl.getCanonicalLocales(tag)[0];
  } catch (error) {
    if (error instanceof RangeError) return undefined;
    throw error;
  }
}

/** Checks the translations of one text. What is wrong goes into `faults`. */
export function readTranslations(
  input: readonly TranslationInput[] | null | undefined,
  { path, faults, maxLength }: { path: Path; faults: InputFaults; maxLength: number },
): Translation[] {
  const found = new Map<string, Translation>();
  if (input && input.length > formLimits.locales) {
    faults.add(path, `At most ${formLimits.locales} translations; these are ${input.length}.`);
    return [];
  }
  for (const [index, translation] of (input ?? []).entries()) {
    const text = faults.text([...path, index, 'text'], translation.text, maxLength);
    const locale = canonicalLocale(translation.locale);
    if (locale === undefined) faults.add([...path, index, 'locale'], 'Write a locale by BCP 47, such as "hi" or "pt-BR".');
    else if (found.has(locale)) faults.add([...path, index, 'locale'], `There are two translations into "${locale}".`);
    else found.set(locale, { locale, text });
  }
  return [...found.values()].toSorted((a, b) => (a.locale < b.locale ? -1 : 1));
}

/**
 * The translation for a locale: of `zh-Hant-TW` that one, or else the one for `zh-Hant`, or else for `zh`; undefined
 * where there is none of these. Source: RFC 4647, 3.4 (lookup).
 */
export function translated(translations: readonly Translation[] | undefined, locale: string): string | undefined {
  if (!translations) return undefined;
  for (let range = locale; range !== ''; range = range.slice(0, Math.max(0, range.lastIndexOf('-')))) {
    const found = translations.find((translation) => translation.locale === range);
    if (found) return found.text;
  }
  return undefined;
}

/** All locales into which anything of a form is translated, in their order. */
export function localesOf(definition: FormDefinition): string[] {
  const locales = new Set<string>();
  const add = (translations: readonly Translation[] | undefined): void => translations?.forEach(({ locale }) => locales.add(locale));
  add(definition.titleTranslations);
  add(definition.descriptionTranslations);
  for (const section of definition.sections ?? []) {
    add(section.titleTranslations);
    add(section.descriptionTranslations);
  }
  for (const question of definition.questions) {
    add(question.translations);
    for (const choice of question.choices) add(choice.translations);
  }
  return [...locales].toSorted();
}
