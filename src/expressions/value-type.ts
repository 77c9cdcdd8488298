/**
 * What a part of an expression is. Dates, times and moments are texts in the one form in which answers are stored, so
 * that they sort like what they say. `texts`: all that a choice can be.
 */
export type ValueType =
  | { kind: 'bool' | 'int' | 'double' | 'text' | 'date' | 'time' | 'moment' | 'place' | 'null' }
  | { kind: 'choice' | 'choices'; texts: ReadonlySet<string> }
  | { kind: 'list'; of: ValueType };

/** A place as answers have it. */
export type PlaceMember = 'latitude' | 'longitude' | 'accuracy' | 'altitude';
export type Place = Readonly<Partial<Record<PlaceMember, number>>>;

/** A value while an expression is worked out; null: there is none, or it cannot be told. */
export type Value = string | number | boolean | readonly Value[] | Place | null;

/** The values an expression is worked out over, by key: choices by their texts. What is absent was not answered. */
export type Scope = ReadonlyMap<string, Value>;

/** Part of an expression, made ready. `literal`: a value that stands in the source. `run` never throws. */
export interface Typed {
  type: ValueType;
  run: (scope: Scope) => Value;
  literal?: Value;
  /** Of a pattern in it: the instructions of its program. */
  patternSize?: number;
}

/** Of an answer, by its question's kind. */
export interface AnswerType {
  kind:
    | 'TEXT' | 'LONG_TEXT' | 'EMAIL' | 'PHONE' | 'URL' | 'INTEGER' | 'RATING' | 'DECIMAL' | 'BOOLEAN' | 'DATE' | 'TIME' | 'DATE_TIME' | 'GEO_POINT'
    | 'SINGLE_CHOICE' | 'MULTIPLE_CHOICE';
  choices: readonly { text: string }[];
}

/** What answers to a question are in an expression. */
export function typeOfAnswer({ kind, choices }: AnswerType): ValueType {
  switch (kind) {
    case 'TEXT':
    case 'LONG_TEXT':
    case 'EMAIL':
    case 'PHONE':
    case 'URL':
      return { kind: 'text' };
    case 'INTEGER':
    case 'RATING':
      return { kind: 'int' };
    case 'DECIMAL':
      return { kind: 'double' };
    case 'BOOLEAN':
      return { kind: 'bool' };
    case 'DATE':
      return { kind: 'date' };
    case 'TIME':
      return { kind: 'time' };
    case 'DATE_TIME':
      return { kind: 'moment' };
    case 'GEO_POINT':
      return { kind: 'place' };
    case 'SINGLE_CHOICE':
      return { kind: 'choice', texts: new Set(choices.map(({ text }) => text)) };
    case 'MULTIPLE_CHOICE':
      return { kind: 'choices', texts: new Set(choices.map(({ text }) => text)) };
  }
}

const names: Record<ValueType['kind'], string> = {
  bool: 'true or false',
  int: 'a whole number',
  double: 'a number',
  text: 'a text',
  date: 'a date',
  time: 'a time of day',
  moment: 'a moment',
  place: 'a place',
  null: 'null',
  choice: 'a choice',
  choices: 'a list of choices',
  list: 'a list',
};

/** A type as part of a sentence. */
export const nameOf = ({ kind }: ValueType): string => names[kind];

export const isNumeric = ({ kind }: ValueType): boolean => kind === 'int' || kind === 'double';
export const isList = ({ kind }: ValueType): boolean => kind === 'choices' || kind === 'list';
