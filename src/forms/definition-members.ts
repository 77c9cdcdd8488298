import { type Json } from '../events/canonical-json.ts';
import { questionKinds, type ChoiceDefinition, type FormDefinition, type QuestionConstraints, type QuestionDefinition } from './form-definition.ts';

/** A member of a form, question or choice, wherever all of its members are gone through: in files and in changes. */
export interface Member {
  /** What its value must be, as the end of "This must be …". */
  is: string;
  fits: (value: Json) => boolean;
  /** Must stand in a file; one that need not stand there means `absent` where it does not. */
  isRequired: boolean;
  absent: Json;
}

/** A definition's own members and those of its questions; ids and times say which and when, not what. */
export type FormMember = Exclude<keyof FormDefinition, 'questions'>;
export type QuestionMember = Exclude<keyof QuestionDefinition, 'id' | 'createdAt' | 'updatedAt' | 'constraints' | 'choices'> | keyof QuestionConstraints;
export type ChoiceMember = Exclude<keyof ChoiceDefinition, 'id'>;

const isText = (value: Json): value is string => typeof value === 'string';
const isNumber = (value: Json): value is number => typeof value === 'number' && Number.isFinite(value);

const text: Member = { is: 'a text', fits: isText, isRequired: false, absent: null };
const number: Member = { is: 'a number', fits: isNumber, isRequired: false, absent: null };
const wholeNumber: Member = { is: 'a whole number', fits: Number.isSafeInteger, isRequired: false, absent: null };
const metadata: Member = { is: 'JSON', fits: () => true, isRequired: false, absent: {} };

/** In the order in which files and changes have them. A member that is missing here is a type error. */
export const formMembers = {
  title: { ...text, isRequired: true },
} satisfies Record<FormMember, Member>;

export const questionMembers = {
  key: { ...text, isRequired: true },
  text: { ...text, isRequired: true },
  kind: { is: `one of ${questionKinds.join(', ')}`, fits: (value) => questionKinds.some((kind) => kind === value), isRequired: true, absent: null },
  required: { is: 'true or false', fits: (value) => typeof value === 'boolean', isRequired: false, absent: false },
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
  text: { ...text, isRequired: true },
  metadata,
} satisfies Record<ChoiceMember, Member>;

/** The values of all members, in the list's order; what a definition leaves out has the value that its absence means. */
function valuesOf<Name extends string>(members: Record<Name, Member>, source: { readonly [Key in NoInfer<Name>]?: unknown }): Record<Name, Json> {
  const entries = Object.entries<Member>(members).map(([name, { absent }]) => [name, source[name as Name] ?? absent]);
  return Object.fromEntries(entries) as Record<Name, Json>;
}

export const valuesOfForm = (definition: FormDefinition): Record<FormMember, Json> => valuesOf(formMembers, definition);
export const valuesOfQuestion = (question: QuestionDefinition): Record<QuestionMember, Json> => valuesOf(questionMembers, { ...question, ...question.constraints });
export const valuesOfChoice = (choice: ChoiceDefinition): Record<ChoiceMember, Json> => valuesOf(choiceMembers, choice);
