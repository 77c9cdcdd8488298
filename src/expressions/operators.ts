import { comparable, isEqual, memberOf } from './compare.ts';
import { isList, isNumeric, nameOf, type Scope, type Typed, type Value, type ValueType } from './value-type.ts';

/** A part made of others, or why there is none, as a sentence. */
export type Made = Typed | { reason: string };

const bool: ValueType = { kind: 'bool' };
const isNull = ({ type }: Typed): boolean => type.kind === 'null';

/** What a list is where nobody answered: one without members. */
const asList = (value: Value): Value => value ?? [];

/** `==` and `!=`. With `null` it asks whether there is a value; otherwise it cannot be told where one is missing. */
export function equality(sides: { left: Typed; right: Typed; isNegated: boolean }): Made {
  const { left, right, isNegated } = sides;
  if (isNull(left) || isNull(right)) {
    const { run } = isNull(right) ? left : right;
    return { type: bool, run: (scope) => (run(scope) === null) !== isNegated };
  }
  const pair = comparable(left, right);
  if ('reason' in pair) return pair;
  const areLists = isList(left.type);
  return {
    type: bool,
    run: (scope) => {
      const a = areLists ? asList(pair.left.run(scope)) : pair.left.run(scope);
      const b = areLists ? asList(pair.right.run(scope)) : pair.right.run(scope);
      return a === null || b === null ? null : isEqual(a, b) !== isNegated;
    },
  };
}

const orders = {
  '<': (a: number | string, b: number | string) => a < b,
  '<=': (a: number | string, b: number | string) => a <= b,
  '>': (a: number | string, b: number | string) => a > b,
  '>=': (a: number | string, b: number | string) => a >= b,
} as const;

/** `<`, `<=`, `>` and `>=`, of numbers, texts, dates and times. */
export function order(operator: keyof typeof orders, left: Typed, right: Typed): Made {
  const pair = comparable(left, right);
  if ('reason' in pair) return pair;
  if (left.type.kind === 'bool' || isNull(left) || isList(left.type)) return { reason: `${operator} does not go with ${nameOf(left.type)}.` };
  const holds = orders[operator];
  return {
    type: bool,
    run: (scope) => {
      const a = pair.left.run(scope);
      const b = pair.right.run(scope);
      return a === null || b === null ? null : holds(a as number | string, b as number | string);
    },
  };
}

/** `x in list`. */
export function membership(left: Typed, right: Typed): Made {
  if (!isList(right.type)) return { reason: `"in" needs a list on its right; this is ${nameOf(right.type)}.` };
  const one = memberOf(right.type);
  const members = right.type.kind === 'choices' ? { kind: 'choice' as const, texts: right.type.texts } : one;
  const pair = comparable(left, { type: members, run: right.run });
  if ('reason' in pair) return pair;
  const literals = literalMembers(left, right);
  if ('reason' in literals) return literals;
  return {
    type: bool,
    run: (scope) => {
      const item = pair.left.run(scope);
      const list = literals.list ?? asList(right.run(scope));
      return item === null ? null : (list as readonly Value[]).includes(item);
    },
  };
}

/** The members of a literal list as the left side of `in` means them. */
function literalMembers(left: Typed, { literal }: Typed): { list: Value[] | undefined } | { reason: string } {
  if (!Array.isArray(literal)) return { list: undefined };
  const list: Value[] = [];
  for (const item of literal as Value[]) {
    const pair = comparable(left, literalOf(item));
    if ('reason' in pair) return pair;
    list.push(pair.right.literal ?? null);
  }
  return { list };
}

/** A value that stands in the source. */
export function literalOf(value: Value): Typed {
  return { type: literalType(value), literal: value, run: () => value };
}

function literalType(value: Value): ValueType {
  if (typeof value === 'boolean') return bool;
  if (typeof value === 'number') return { kind: 'double' };
  return { kind: typeof value === 'string' ? 'text' : 'null' };
}

const arithmetics = {
  '+': (a: number, b: number) => a + b,
  '-': (a: number, b: number) => a - b,
  '*': (a: number, b: number) => a * b,
  '/': (a: number, b: number) => a / b,
  '%': (a: number, b: number) => a % b,
} as const;

/**
 * Arithmetic as in CEL: whole numbers give whole numbers, `7 / 2` is 3. Where it has no exact whole result or no finite
 * one (a division by zero), there is no value.
 */
export function arithmetic(operator: keyof typeof arithmetics, left: Typed, right: Typed): Made {
  const other = [left, right].find(({ type }) => !isNumeric(type));
  if (other) return { reason: `${operator} needs numbers; this is ${nameOf(other.type)}.` };
  const isWhole = left.type.kind === 'int' && right.type.kind === 'int';
  if (operator === '%' && !isWhole) return { reason: '% needs whole numbers.' };
  const work = arithmetics[operator];
  return {
    type: { kind: isWhole ? 'int' : 'double' },
    run: (scope) => {
      const a = left.run(scope);
      const b = right.run(scope);
      return a === null || b === null ? null : number(work(a as number, b as number), isWhole);
    },
  };
}

export function negative(part: Typed): Made {
  if (!isNumeric(part.type)) return { reason: `- needs a number; this is ${nameOf(part.type)}.` };
  const isWhole = part.type.kind === 'int';
  const negate = (value: Value): Value => (value === null ? null : number(-(value as number), isWhole));
  return { type: part.type, run: (scope) => negate(part.run(scope)), ...(part.literal !== undefined && { literal: negate(part.literal) }) };
}

function number(value: number, isWhole: boolean): number | null {
  const result = (isWhole ? Math.trunc(value) : value) + 0; // no -0, which would differ from 0 nowhere but in a message
  return (isWhole ? Number.isSafeInteger(result) : Number.isFinite(result)) ? result : null;
}

/** `&&` and `||`: what one side decides is decided, also where the other cannot be told. */
export function connective(operator: '&&' | '||', left: Typed, right: Typed): Made {
  const other = [left, right].find(({ type }) => type.kind !== 'bool');
  if (other) return { reason: `${operator} needs true or false on both sides; this is ${nameOf(other.type)}.` };
  const decisive = operator === '||';
  return {
    type: bool,
    run: (scope) => {
      const a = left.run(scope);
      if (a === decisive) return decisive;
      const b = right.run(scope);
      if (b === decisive) return decisive;
      return a === null || b === null ? null : !decisive;
    },
  };
}

export function negation(part: Typed): Made {
  if (part.type.kind !== 'bool') return { reason: `! needs true or false; this is ${nameOf(part.type)}.` };
  return {
    type: bool,
    run: (scope) => {
      const value = part.run(scope);
      return value === null ? null : !value;
    },
  };
}

/** `a ? b : c`. */
export function alternative(condition: Typed, [yes, no]: readonly [Typed, Typed]): Made {
  if (condition.type.kind !== 'bool') return { reason: `? needs true or false before it; this is ${nameOf(condition.type)}.` };
  const type = commonType(yes.type, no.type);
  if (!type) return { reason: `What stands around ":" must be alike; these are ${nameOf(yes.type)} and ${nameOf(no.type)}.` };
  return {
    type,
    run: (scope: Scope) => {
      const value = condition.run(scope);
      if (value === null) return null;
      return value ? yes.run(scope) : no.run(scope);
    },
  };
}

function commonType(a: ValueType, b: ValueType): ValueType | undefined {
  if (a.kind === 'null') return b;
  if (b.kind === 'null') return a;
  if (isNumeric(a) && isNumeric(b)) return a.kind === b.kind ? a : { kind: 'double' };
  if (a.kind === 'choice' && b.kind === 'choice') return { kind: 'choice', texts: a.texts.union(b.texts) };
  if (a.kind === 'choices' && b.kind === 'choices') return { kind: 'choices', texts: a.texts.union(b.texts) };
  if ((a.kind === 'choice' && b.kind === 'text') || (a.kind === 'text' && b.kind === 'choice')) return { kind: 'text' };
  return a.kind === b.kind && a.kind !== 'list' ? a : undefined;
}
