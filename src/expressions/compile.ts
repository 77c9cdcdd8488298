import type { ASTNode } from '@marcbachmann/cel-js';
import { ExpressionFault, faultAt } from './expression-fault.ts';
import { call } from './functions.ts';
import { alternative, arithmetic, connective, equality, literalOf, membership, negation, negative, order, type Made } from './operators.ts';
import { nodesOf, parseExpression } from './parse.ts';
import { isNumeric, nameOf, type Place, type PlaceMember, type Scope, type Typed, type Value, type ValueType } from './value-type.ts';

/** What the value of a key is, or why an expression cannot use the key, as a sentence. */
export type TypeOfKey = (key: string) => ValueType | { reason: string };

/** An expression made ready: checked once, worked out for every response. */
export interface CompiledExpression {
  type: ValueType;
  /** The keys it reads. */
  keys: ReadonlySet<string>;
  /** Names, values, operators and calls: what working it out takes grows with it. */
  size: number;
  /** Instructions of the programs of all its patterns. */
  patternsSize: number;
  /**
   * Its value; null where that cannot be told: an answer is missing that decides, or a number has no value. Never
   * throws, and calls nothing that could take long.
   */
  evaluate: (scope: Scope) => Value;
}

/**
 * Reads and checks an expression of CEL over the keys of answers. Throws ExpressionFault where it makes no sense.
 *
 * The grammar is CEL's. What a part of it means is worked out here and not by CEL's own machine: people leave questions
 * open, which CEL's types do not know of; the macros that repeat, and its regular expressions, could be made to take
 * for ever; and its numbers do not compare with each other where a form's maker expects it. What both can work out, they
 * work out to the same value.
 */
export function compileExpression(source: string, typeOf: TypeOfKey): CompiledExpression {
  const root = parseExpression(source);
  const keys = new Set<string>();
  let patternsSize = 0;

  const compile = (node: ASTNode): Typed => {
    const made = make(node);
    if ('reason' in made) throw faultAt(node, made.reason);
    patternsSize += made.patternSize ?? 0;
    return made;
  };

  const make = (node: ASTNode): Made => {
    switch (node.op) {
      case 'value':
        return literal(node.args);
      case 'id': {
        const key = node.args;
        const type = typeOf(key);
        if ('reason' in type) return type;
        keys.add(key);
        return { type, run: (scope) => scope.get(key) ?? null };
      }
      case 'list':
        return list(node.args.map(compile));
      case '.':
        return member(compile(node.args[0]), node.args[1]);
      case 'call':
        return call(node.args[0], node.args[1].map(compile));
      case 'rcall':
        if (macros.has(node.args[0])) return { reason: `"${node.args[0]}" cannot be used: nothing here repeats. Write 'x' in list, or size(list).` };
        return call(node.args[0], [node.args[1], ...node.args[2]].map(compile));
      case '==':
      case '!=':
        return equality({ left: compile(node.args[0]), right: compile(node.args[1]), isNegated: node.op === '!=' });
      case '<':
      case '<=':
      case '>':
      case '>=':
        return order(node.op, compile(node.args[0]), compile(node.args[1]));
      case 'in':
        return membership(compile(node.args[0]), compile(node.args[1]));
      case '+':
      case '-':
      case '*':
      case '/':
      case '%':
        return arithmetic(node.op, compile(node.args[0]), compile(node.args[1]));
      case '&&':
      case '||':
        return connective(node.op, compile(node.args[0]), compile(node.args[1]));
      case '!_':
        return negation(compile(node.args));
      case '-_':
        return negative(compile(node.args));
      case '?:':
        return alternative(compile(node.args[0]), [compile(node.args[1]), compile(node.args[2])]);
      case '[]':
      case '[?]':
      case '.?':
      case 'map':
        return { reason: 'This part of CEL cannot be used here.' };
    }
  };

  const { type, run } = compile(root);
  return { type, keys, patternsSize, size: [...nodesOf(root)].length, evaluate: run };
}

/** The same for what must be true or false. */
export function compileCondition(source: string, typeOf: TypeOfKey): CompiledExpression {
  const compiled = compileExpression(source, typeOf);
  if (compiled.type.kind === 'bool') return compiled;
  throw new ExpressionFault(`A condition is true or false; this is ${nameOf(compiled.type)}. Compare it with something.`);
}

const macros = new Set(['all', 'exists', 'exists_one', 'map', 'filter', 'bind']);

function literal(value: unknown): Made {
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? { ...literalOf(number), type: { kind: 'int' } } : { reason: 'A whole number is no further from 0 than 9007199254740991.' };
  }
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean' || value === null) return literalOf(value);
  return { reason: 'A value like this cannot be used here.' };
}

function list(items: readonly Typed[]): Made {
  const values: Value[] = [];
  const [first] = items;
  for (const { type, literal: value } of items) {
    if (value === undefined || typeof value === 'object' || !first) return { reason: 'A list holds texts or numbers that stand there.' };
    if (type.kind !== first.type.kind && !(isNumeric(type) && isNumeric(first.type))) return { reason: 'The members of a list are of one kind.' };
    values.push(value);
  }
  return first ? { type: { kind: 'list', of: first.type }, literal: values, run: () => values } : { reason: 'A list needs at least one member.' };
}

const placeMembers: readonly string[] = ['latitude', 'longitude', 'accuracy', 'altitude'] satisfies PlaceMember[];
const isPlaceMember = (name: string): name is PlaceMember => placeMembers.includes(name);

function member(of: Typed, name: string): Made {
  if (of.type.kind !== 'place') return { reason: `${nameOf(of.type)} has no members.` };
  if (!isPlaceMember(name)) return { reason: `A place has ${placeMembers.join(', ')}.` };
  return {
    type: { kind: 'double' },
    run: (scope) => {
      const place = of.run(scope);
      return place === null ? null : ((place as Place)[name] ?? null);
    },
  };
}
