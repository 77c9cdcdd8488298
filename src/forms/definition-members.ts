import type { Json } from '../events/canonical-json.ts';
import {
  questionKinds,
  type ChoiceDefinition,
  type FormDefinition,
  type QuestionConstraints,
  type QuestionDefinition,
  type SectionDefinition,
} from './form-definition.ts';
import type { FormFrame } from './form-input.ts';

/** A member of a form, section, question or choice, wherever all of its members are gone through: in files and in changes. */
export interface Member {
  /** What its value must be, as the end of "This must be …". */
  is: string;
  fits: (value: Json) => boolean;
  /** Must stand in a file; one that need not stand there means `absent` where it does not. */
  isRequired: boolean;
  absent: Json;
}

/** Members that say what something is: not which (`id`), when, or in what order. */
export type FormMember = Exclude<keyof FormDefinition, 'questions' | 'sections'>;
export type SectionMember = Exclude<keyof SectionDefinition, 'id'>;
export type QuestionMember = Exclude<keyof QuestionDefinition, 'id' | 'createdAt' | 'updatedAt' | 'constraints' | 'choices' | 'sectionId'> | keyof QuestionConstraints;
export type ChoiceMember = Exclude<keyof ChoiceDefinition, 'id'>;

const isText = (value: Json): value is string => typeof value === 'string';
const isNumber = (value: Json): value is number => typeof value === 'number' && Number.isFinite(value);
const isTranslation = (value: Json): boolean =>
  typeof value === 'object' && value !== null && 'locale' in value && 'text' in value && isText(value.locale) && isText(value.text) && Object.keys(value).length === 2;

const text: Member = { is: 'a text', fits: isText, isRequired: false, absent: null };
const requiredText: Member = { ...text, isRequired: true };
const number: Member = { is: 'a number', fits: isNumber, isRequired: false, absent: null };
const wholeNumber: Member = { is: 'a whole number', fits: Number.isSafeInteger, isRequired: false, absent: null };
const metadata: Member = { is: 'JSON', fits: () => true, isRequired: false, absent: {} };
const translations: Member = {
  is: 'a list of { "locale": "…", "text": "…" }',
  fits: (value) => Array.isArray(value) && value.every(isTranslation),
  isRequired: false,
  absent: [],
};

/** In the order in which files and changes have them. A member that is missing here is a type error. */
export const formMembers = {
  title: requiredText,
  titleTranslations: translations,
  descriptionTranslations: translations,
} satisfies Record<FormMember, Member>;

/** What a file has of the form itself, beside its version's members also those of its frame. */
export const fileMembers = {
  title: requiredText,
  titleTranslations: translations,
  description: text,
  descriptionTranslations: translations,
  email: text,
  metadata,
} satisfies Record<FormMember | keyof FormFrame, Member>;

export const sectionMembers = {
  title: requiredText,
  titleTranslations: translations,
  description: text,
  descriptionTranslations: translations,
  visibleWhen: text,
  metadata,
} satisfies Record<SectionMember, Member>;

export const questionMembers = {
  key: requiredText,
  text: requiredText,
  translations,
  kind: { is: `one of ${questionKinds.join(', ')}`, fits: (value) => questionKinds.some((kind) => kind === value), isRequired: true, absent: null },
  required: { is: 'true or false', fits: (value) => typeof value === 'boolean', isRequired: false, absent: false },
  visibleWhen: text,
  min: number,
  max: number,
  earliest: text,
  latest: text,
  minLength: wholeNumber,
  maxLength: wholeNumber,
  pattern: text,
  decimals: wholeNumber,
  metadata,
} satisfies Record<QuestionMember, Member>;

export const choiceMembers = {
  text: requiredText,
  translations,
  metadata,
} satisfies Record<ChoiceMember, Member>;

/** The values of all members, in the list's order; what a definition leaves out has the value that its absence means. */
export function valuesOf<Name extends string>(members: Record<Name, Member>, source: { readonly [Key in NoInfer<Name>]?: unknown }): Record<Name, Json> {
  const entries = Object.entries<Member>(members).map(([name, { absent }]) => [name, source[name as Name] ?? absent]);
  return Object.fromEntries(entries) as Record<Name, Json>;
}

export const valuesOfForm = (definition: FormDefinition): Record<FormMember, Json> => valuesOf(formMembers, definition);
export const valuesOfSection = (section: SectionDefinition): Record<SectionMember, Json> => valuesOf(sectionMembers, section);
export const valuesOfQuestion = (question: QuestionDefinition): Record<QuestionMember, Json> => valuesOf(questionMembers, { ...question, ...question.constraints });
export const valuesOfChoice = (choice: ChoiceDefinition): Record<ChoiceMember, Json> => valuesOf(choiceMembers, choice);
