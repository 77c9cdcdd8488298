import { isDate, timeOfDay, utcTime } from '../calendar.ts';
import { patternSize, whyNoPattern } from '../linear-pattern.ts';
import type { QuestionConstraints, QuestionDefinition, QuestionKind } from './form-definition.ts';
import { formLimits } from './form-limits.ts';
import type { InputFaults, Path } from './input-faults.ts';
import type { QuestionInput } from './question-input.ts';

const names = ['min', 'max', 'earliest', 'latest', 'minLength', 'maxLength', 'pattern', 'decimals'] as const;
type ConstraintName = (typeof names)[number];
type ConstraintInput = Pick<QuestionInput, ConstraintName | 'kind'>;

interface Place {
  path: Path;
  faults: InputFaults;
}

/** What a question of a kind can ask of its answers. */
function constraintsOf(kind: QuestionKind): readonly ConstraintName[] {
  switch (kind) {
    case 'INTEGER':
    case 'RATING':
      return ['min', 'max'];
    case 'DECIMAL':
      return ['min', 'max', 'decimals'];
    case 'DATE':
    case 'TIME':
    case 'DATE_TIME':
      return ['earliest', 'latest'];
    case 'TEXT':
      return ['minLength', 'maxLength', 'pattern'];
    case 'LONG_TEXT':
      return ['minLength', 'maxLength'];
    case 'BOOLEAN':
    case 'SINGLE_CHOICE':
    case 'MULTIPLE_CHOICE':
    case 'EMAIL':
    case 'PHONE':
    case 'URL':
    case 'GEO_POINT':
      return [];
  }
}

/** Kinds whose bounds mean the same: where a question changes from one to another of them, they stay. */
const families: readonly (readonly QuestionKind[])[] = [['INTEGER', 'DECIMAL'], ['TEXT', 'LONG_TEXT']];

/** A question's constraints as input after a change; what its new kind cannot have falls away. */
export function changedConstraints(question: QuestionDefinition, change: ChangeOfConstraints): Pick<QuestionInput, ConstraintName> {
  const { kind } = change;
  const isAkin = kind === question.kind || families.some((family) => family.includes(kind) && family.includes(question.kind));
  const kept = isAkin ? constraintsOf(kind) : [];
  const now: Partial<Record<ConstraintName, unknown>> = { ...question.constraints, min: question.min, max: question.max };
  return Object.fromEntries(names.map((name) => [name, change[name] === undefined && kept.includes(name) ? now[name] : change[name]]));
}

type ChangeOfConstraints = { [Name in ConstraintName]?: QuestionInput[Name] } & { kind: QuestionKind };

/** Checks what a question asks of its answers. What is wrong goes into `faults`. */
export function readConstraints(given: ConstraintInput, place: Place): { min: number | null; max: number | null; constraints: QuestionConstraints } {
  const input = onlyPossible(given, place);
  const bounds = input.kind === 'RATING' ? { min: input.min ?? 1, max: input.max ?? 5 } : { min: input.min ?? null, max: input.max ?? null };
  checkNumbers({ ...bounds, kind: input.kind }, place);
  checkLengths(input, place);
  if (isGiven(input.decimals) && !isBetween(input.decimals, 0, formLimits.decimals)) {
    add(place, 'decimals', `A number can have 0 to ${formLimits.decimals} decimals.`);
  }
  const { earliest, latest } = readTimes(input, place);
  const pattern = readPattern(input, place);
  const { minLength, maxLength, decimals } = input;
  return {
    ...bounds,
    constraints: {
      ...(earliest !== undefined && { earliest }),
      ...(latest !== undefined && { latest }),
      ...(isGiven(minLength) && { minLength }),
      ...(isGiven(maxLength) && { maxLength }),
      ...(pattern !== undefined && { pattern }),
      ...(isGiven(decimals) && { decimals }),
    },
  };
}

/** The input without what questions of its kind do not have; each is a fault. */
function onlyPossible(given: ConstraintInput, place: Place): ConstraintInput {
  const input = { ...given };
  const possible = constraintsOf(given.kind);
  for (const name of names) {
    if (!isGiven(given[name]) || possible.includes(name)) continue;
    add(place, name, `A question of kind ${given.kind} has no "${name}".`);
    input[name] = undefined;
  }
  return input;
}

function checkNumbers({ kind, min, max }: { kind: QuestionKind; min: number | null; max: number | null }, place: Place): void {
  for (const [name, bound] of [['min', min], ['max', max]] as const) {
    if (bound === null) continue;
    if (kind === 'INTEGER' && !Number.isInteger(bound)) add(place, name, 'The bound of an integer is an integer.');
    if (kind === 'RATING' && !isBetween(bound, 0, formLimits.ratingMax)) add(place, name, `A rating is a whole number from 0 to ${formLimits.ratingMax}.`);
  }
  if (min !== null && max !== null && (kind === 'RATING' ? min >= max : min > max)) add(place, 'max', `"max" (${max}) is less than "min" (${min}), or leaves no choice.`);
}

function checkLengths({ minLength, maxLength, pattern }: ConstraintInput, place: Place): void {
  const most = isGiven(pattern) ? formLimits.patternedTextLength : formLimits.answerLength;
  for (const [name, length] of [['minLength', minLength], ['maxLength', maxLength]] as const) {
    if (isGiven(length) && !isBetween(length, 0, most)) add(place, name, `A length is between 0 and ${most} here.`);
  }
  if (isGiven(minLength) && isGiven(maxLength) && minLength > maxLength) {
    add(place, 'maxLength', `"maxLength" (${maxLength}) is less than "minLength" (${minLength}).`);
  }
}

/** A pattern that is one and not too large; what is wrong is not even compiled where that could take long. */
function readPattern({ pattern }: ConstraintInput, place: Place): string | undefined {
  if (!isGiven(pattern)) return undefined;
  place.faults.text([...place.path, 'pattern'], pattern, formLimits.patternLength);
  if (pattern.length > formLimits.patternLength) return undefined;
  const fault = whyNoPattern(pattern) ?? whyTooLarge(patternSize(pattern));
  if (fault === undefined) return pattern;
  add(place, 'pattern', `This pattern cannot be used: ${fault}.`);
  return undefined;
}

const whyTooLarge = (size: number): string | undefined =>
  size > formLimits.patternSize ? `its program has ${size} instructions, and ${formLimits.patternSize} are the most; repeat less` : undefined;

function readTimes(input: ConstraintInput, place: Place): { earliest: string | undefined; latest: string | undefined } {
  const [earliest, latest] = (['earliest', 'latest'] as const).map((name) => {
    const text = input[name];
    if (!isGiven(text)) return undefined;
    const time = storedTime(input.kind, text);
    if (time === undefined) add(place, name, `This is no ${spoken[input.kind] ?? 'time'}.`);
    return time;
  });
  // one kind's texts have one form and one length, so that they sort like what they say
  if (earliest !== undefined && latest !== undefined && earliest > latest) add(place, 'latest', '"latest" is before "earliest".');
  return { earliest, latest };
}

/** A bound as the answers of its kind are stored; undefined where it is none. */
function storedTime(kind: QuestionKind, text: string): string | undefined {
  if (kind === 'DATE') return isDate(text) ? text : undefined;
  return kind === 'TIME' ? timeOfDay(text) : utcTime(text);
}

const spoken: Partial<Record<QuestionKind, string>> = { DATE: 'day (YYYY-MM-DD)', TIME: 'time of day (HH:MM or HH:MM:SS)', DATE_TIME: 'moment by RFC 3339' };

const isGiven = <T>(value: T | null | undefined): value is T => value !== null && value !== undefined;
const isBetween = (value: number, least: number, most: number): boolean => Number.isInteger(value) && value >= least && value <= most;
const add = ({ path, faults }: Place, name: ConstraintName, message: string): void => faults.add([...path, name], message);
