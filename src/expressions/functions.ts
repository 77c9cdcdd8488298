import { compilePattern, patternSize, whyNoPattern } from '../linear-pattern.ts';
import type { Made } from './operators.ts';
import { isList, isNumeric, nameOf, type Typed, type Value } from './value-type.ts';

/** A longer text matches no pattern: what matching takes grows with the text. */
const maxMatchedLength = 1_000;

/** Makes a call of a function, a receiver as its first argument: `size(x)` and `x.size()` are the same. */
export function call(name: string, args: readonly Typed[]): Made {
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined;
  if (!known) return { reason: `There is no "${name}" here; there are ${Object.keys(functions).join(', ')}.` };
  const [first, second] = args;
  if (!first || args.length !== known.arguments) return { reason: `"${name}" takes ${known.arguments === 1 ? 'one value' : 'two values'}; these are ${args.length}.` };
  return known.make(first, second ?? first);
}

const functions: Record<string, { arguments: 1 | 2; make: (first: Typed, second: Typed) => Made }> = {
  has: { arguments: 1, make: (part) => ({ type: { kind: 'bool' }, run: (scope) => part.run(scope) !== null }) },
  size: { arguments: 1, make: size },
  contains: { arguments: 2, make: ofTexts((text, part) => text.includes(part)) },
  startsWith: { arguments: 2, make: ofTexts((text, part) => text.startsWith(part)) },
  endsWith: { arguments: 2, make: ofTexts((text, part) => text.endsWith(part)) },
  matches: { arguments: 2, make: matches },
  int: { arguments: 1, make: (part) => toNumber(part, 'int') },
  double: { arguments: 1, make: (part) => toNumber(part, 'double') },
};

const isText = ({ type: { kind } }: Typed): boolean => kind === 'text' || kind === 'choice';

function size(part: Typed): Made {
  if (isList(part.type)) return { type: { kind: 'int' }, run: (scope) => ((part.run(scope) ?? []) as readonly Value[]).length };
  if (!isText(part)) return { reason: `"size" needs a text or a list; this is ${nameOf(part.type)}.` };
  return { type: { kind: 'int' }, run: (scope) => ifThere(part.run(scope), (text) => characters(text as string)) };
}

function ofTexts(holds: (text: string, part: string) => boolean): (first: Typed, second: Typed) => Made {
  return (first, second) => {
    const other = [first, second].find((part) => !isText(part));
    if (other) return { reason: `This needs texts; ${nameOf(other.type)} is none.` };
    return {
      type: { kind: 'bool' },
      run: (scope) => ifThere(first.run(scope), (text) => ifThere(second.run(scope), (part) => holds(text as string, part as string))),
    };
  };
}

/** CEL's `matches` looks for the pattern anywhere in the text. */
function matches(text: Typed, { literal }: Typed): Made {
  if (!isText(text)) return { reason: `"matches" needs a text; this is ${nameOf(text.type)}.` };
  if (typeof literal !== 'string') return { reason: 'The pattern of "matches" must stand there as a text.' };
  const fault = whyNoPattern(literal);
  if (fault !== undefined) return { reason: `This pattern cannot be used: ${fault}.` };
  const anywhere = `(?s:.*)(?:${literal})(?s:.*)`;
  const holds = compilePattern(anywhere);
  return {
    type: { kind: 'bool' },
    patternSize: patternSize(anywhere),
    run: (scope) => ifThere(text.run(scope), (value) => (value as string).length <= maxMatchedLength && holds(value as string)),
  };
}

/** CEL's conversions of numbers; `int` cuts off what is behind the point. */
function toNumber(part: Typed, kind: 'int' | 'double'): Made {
  if (!isNumeric(part.type)) return { reason: `"${kind}" needs a number; this is ${nameOf(part.type)}.` };
  if (kind === 'double') return { type: { kind }, run: part.run };
  return {
    type: { kind },
    run: (scope) => ifThere(part.run(scope), (value) => (Number.isSafeInteger(Math.trunc(value as number)) ? Math.trunc(value as number) : null)),
  };
}

const ifThere = (value: Value, then: (value: NonNullable<Value>) => Value): Value => (value === null ? null : then(value));

/** Unicode characters, as CEL counts them. */
function characters(text: string): number {
  let pairs = 0;
  for (let index = 1; index < text.length; index += 1) {
    const unit = text.charCodeAt(index);
    if (unit >= 0xdc00 && unit <= 0xdfff) pairs += 1; // texts are well-formed: each such unit ends a pair
  }
  return text.length - pairs;
}
