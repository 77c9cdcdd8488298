import type { QuestionDefinition } from '../forms/form-definition.ts';
import { hint, Refusal, type ReadValue } from './read-value.ts';

/** Reads a whole number, exact as a double, within the question's bounds. */
export const compileInteger = (bounds: QuestionDefinition): ReadValue => (value) => {
  if (typeof value === 'number' && Number.isSafeInteger(value)) return withinBounds(value, bounds);
  const limit = typeof value === 'number' && Number.isInteger(value) ? ' no further from 0 than 9007199254740991' : '';
  return new Refusal(`must be a whole number${limit}${hint(value)}`);
};

/** Reads a number within the question's bounds and with no more decimals than it asks for. */
export const compileDecimal = (question: QuestionDefinition): ReadValue => (value) => {
  if (typeof value !== 'number' || !Number.isFinite(value)) return new Refusal(`must be a number${hint(value)}`);
  const { decimals } = question.constraints ?? {};
  if (decimals !== undefined && decimalsOf(value) > decimals) return new Refusal(`must have at most ${decimals} decimals; ${value} has ${decimalsOf(value)}`);
  return withinBounds(value, question);
};

function withinBounds(value: number, { min, max }: Pick<QuestionDefinition, 'min' | 'max'>): number | Refusal {
  if (min !== null && value < min) return new Refusal(`must be ${min} or more; ${value} is less`);
  if (max !== null && value > max) return new Refusal(`must be ${max} or less; ${value} is more`);
  return value;
}

/** Digits after the point in the shortest way to write a number: of `1.25` two, of `1e-7` seven, of `1e21` none. */
function decimalsOf(value: number): number {
  const [digits = '', exponent = '0'] = String(value).split('e');
  const point = digits.indexOf('.');
  return Math.max(0, (point === -1 ? 0 : digits.length - point - 1) - Number(exponent));
}
