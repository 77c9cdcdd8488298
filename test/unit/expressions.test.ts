import { Environment } from '@marcbachmann/cel-js';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { compileCondition, compileExpression } from '../../src/expressions/compile.ts';
import { ExpressionFault } from '../../src/expressions/expression-fault.ts';
import { expressionLimits, renameKey } from '../../src/expressions/parse.ts';
import { typeOfAnswer, type Value, type ValueType } from '../../src/expressions/value-type.ts';

const none = { choices: [] };
const cities = { choices: [{ text: 'Pune' }, { text: 'Delhi' }] };
const types: Record<string, ValueType> = {
  age: typeOfAnswer({ kind: 'INTEGER', ...none }), stars: typeOfAnswer({ kind: 'RATING', ...none }), income: typeOfAnswer({ kind: 'DECIMAL', ...none }),
  name: typeOfAnswer({ kind: 'TEXT', ...none }), smoker: typeOfAnswer({ kind: 'BOOLEAN', ...none }), city: typeOfAnswer({ kind: 'SINGLE_CHOICE', ...cities }),
  lived: typeOfAnswer({ kind: 'MULTIPLE_CHOICE', ...cities }), born: typeOfAnswer({ kind: 'DATE', ...none }), wakes: typeOfAnswer({ kind: 'TIME', ...none }),
  seen: typeOfAnswer({ kind: 'DATE_TIME', ...none }), home: typeOfAnswer({ kind: 'GEO_POINT', ...none }),
};
const typeOf = (key: string) => types[key] ?? { reason: `There is no ${key}.` };
const run = (source: string, answers: Record<string, Value> = {}) => compileExpression(source, typeOf).evaluate(new Map(Object.entries(answers)));
const faultOf = (source: string) => {
  try {
    compileCondition(source, typeOf);
    return undefined;
  } catch (error) {
    if (error instanceof ExpressionFault) return error.message;
    throw error;
  }
};

test.for<[string, Record<string, Value>, Value]>([
  ['age >= 18', { age: 18 }, true], ['age > 17.5', { age: 18 }, true], ['income == 2', { income: 2 }, true], ['stars >= 2 && stars < 4.5', { stars: 4 }, true],
  ['income > 1.5', { income: 1.5 }, false], ['age in [17, 18.0]', { age: 18 }, true], ['-age < -17', { age: 18 }, true],
  ['name == "Ann" || name.startsWith("B")', { name: 'Bea' }, true], ['name.contains("e") && name.endsWith("a")', { name: 'Bea' }, true], ['size(name) == 2', { name: '👍x' }, true],
  ['name.matches("^B.a$")', { name: 'Bea' }, true], ['name.matches("e")', { name: 'Bea' }, true], ['name.matches("(?i)E")', { name: 'b\ne' }, true], ['name.matches("x")', { name: 'Bea' }, false],
  ['city == "Pune"', { city: 'Pune' }, true], ['city in ["Pune", "Delhi"]', { city: 'Delhi' }, true], ['"Pune" in lived', { lived: ['Delhi'] }, false],
  ['city in lived', { city: 'Delhi', lived: ['Delhi'] }, true], ['lived.size() >= 2', { lived: ['Pune', 'Delhi'] }, true], ['lived == ["Pune"]', { lived: ['Pune'] }, true],
  ['born < "2008-11-21"', { born: '2008-11-20' }, true], ['wakes >= "07:45"', { wakes: '07:45:00' }, true], ['seen >= "2026-01-01T05:30:00+05:30"', { seen: '2026-01-01T00:00:00.000Z' }, true],
  ['home.latitude > 18 && home.longitude < 74.5', { home: { latitude: 18.52, longitude: 73.86 } }, true], ['smoker ? age > 20 : age > 10', { smoker: false, age: 15 }, true],
  ['7 / 2', {}, 3], ['-7 / 2', {}, -3], ['7 / 2.0', {}, 3.5], ['7 % 3', {}, 1], ['int(2.9) + age', { age: 1 }, 3], ['double(age) / 2', { age: 1 }, 0.5],
])('%s over %j is %j', ([source, answers, expected]) => expect(run(source, answers)).toBe(expected));

test.for<[string, Record<string, Value>, Value]>([
  ['age > 18', {}, null], ['age != 18', {}, null], ['!(age == 18)', {}, null], ['age > 18 || smoker', { smoker: true }, true], ['age > 18 && smoker', { smoker: false }, false],
  ['age > 18 || smoker', { smoker: false }, null], ['age == null', {}, true], ['age != null && age > 18', {}, false], ['has(age)', {}, false], ['has(age)', { age: 0 }, true],
  ['!smoker', {}, null], ['smoker ? true : false', {}, null], ['"Pune" in lived', {}, false], ['!("Pune" in lived)', {}, true], ['size(lived) == 0', {}, true], ['lived == null', {}, true],
  ['city in ["Pune"]', {}, null], ['size(name) > 0', {}, null], ['name == ""', {}, null], ['home.accuracy < 5', { home: { latitude: 1, longitude: 2 } }, null], ['has(home.accuracy)', { home: { latitude: 1, longitude: 2 } }, false],
  ['age / 0 == 0', { age: 1 }, null], ['income / 0 > 1', { income: 1 }, null], ['age % 0 == 0', { age: 1 }, null], ['age * 9007199254740991 > 0', { age: 2 }, null], ['age / 0 == 0 || true', { age: 1 }, true],
])('where something is missing, %s over %j is %j', ([source, answers, expected]) => expect(run(source, answers)).toBe(expected));

test.for<[string, string]>([
  ['age > "x"', 'At character 1 (age > "x"): A whole number cannot be compared with a text.'],
  ['smoker && agee > 3', 'At character 11 (agee): There is no agee.'],
  ['age', 'A condition is true or false; this is a whole number. Compare it with something.'],
  ['city == "Punne"', 'At character 1 (city == "Punne"): There is no choice "Punne" here; the choices are "Pune", "Delhi".'],
  ['born > "1/1/2020"', `At character 1 (born > "1/1/2020"): "1/1/2020" is not a date; write it like '2026-11-21'.`],
])('%s: %s', ([source, message]) => expect(faultOf(source)).toBe(message));

test.for([
  'age +', '@', 'age = 3', '"a', '', '  ', 'age > 3 age', 'if > 3', 'name == 3', 'smoker > true', 'age && smoker', '!age', '-name == 3', 'name + "x" == "y"', 'income % 2 == 0',
  '"Punne" in lived', 'city in ["Punne"]', 'lived == ["Punne"]', 'age in "abc"', 'name in lived.size()', 'born == name', 'born == wakes', 'home == home', 'home.altitud > 1', 'name.x == 1', 'age in [1, "a"]',
  'age in []', 'age in [age]', 'smoker ? age : name', 'size(age) == 1', 'has()', 'has(age, age)', 'nothing(age)', 'constructor(age)', 'name.matches(name)', 'name.matches("(")', 'name.matches("(?=a)")',
  'lived.exists(x, x == "Pune")', 'lived.all(x, true)', 'lived.map(x, x) == lived', 'lived[0] == "Pune"', '{"a": 1} == {"a": 1}', 'b"a" == b"a"', '5u == 5', 'age == 9007199254740992', 'int(name) == 1', 'type(age) == int',
  'timestamp("2026-01-01T00:00:00Z") > seen', 'null > 3', 'null in lived', 'age == [1]', 'name.contains(3)', 'cel.bind(x, age, x > 3)',
])('makes no sense: %s', (source) => expect(faultOf(source)).toMatch(/^(At character \d+|This must not be blank|A condition)/));

test('an expression is as large as the limits say, and no larger', () => {
  const long = (length: number) => `name == "${'x'.repeat(length - 10)}"`;
  expect([faultOf(long(expressionLimits.length)), faultOf(long(expressionLimits.length + 1))]).toEqual([undefined, 'At most 1000 characters; this has 1001.']);
  const wide = (nodes: number) => `smoker${'||smoker'.repeat((nodes - 1) / 2)}`;
  expect([faultOf(wide(99)), faultOf(wide(101))]).toEqual([undefined, expect.stringContaining('at most 100 names')]);
  const deep = (levels: number) => `${'('.repeat(levels)}smoker${')'.repeat(levels)}`;
  expect([faultOf(deep(expressionLimits.depth - 1)), faultOf(deep(expressionLimits.depth))]).toEqual([undefined, expect.stringContaining('20 deep')]);
});

test('a pattern that JavaScript takes for ever with is matched at once, and a text past 1,000 characters matches none', () => {
  expect(run('name.matches("^(a+)+$")', { name: `${'a'.repeat(900)}!` })).toBe(false);
  expect([run('name.matches("a")', { name: 'a'.repeat(1_000) }), run('name.matches("a")', { name: 'a'.repeat(1_001) })]).toEqual([true, false]);
  expect(compileExpression('name.matches("a{300}") || name.matches("b{300}")', typeOf).patternsSize).toBeGreaterThan(600);
});

test('a key is renamed where it stands for an answer, and nowhere else', () => {
  expect(renameKey('age > 3 && "age" == name && home.age == age', { from: 'age', to: 'years' })).toBe('years > 3 && "age" == name && home.age == years');
  expect(renameKey('size(size) == 3', { from: 'size', to: 'n' })).toBe('size(n) == 3');
});

test('whatever the text, it is an expression or a sentence', () => {
  const piece = fc.constantFrom('age', 'name', 'city', 'lived', '&&', '||', '==', '<', '+', '-', '!', '(', ')', '[', ']', ',', '.', '?', ':', '"Pune"', '1', '2.5', 'null', 'in', 'has', 'size', ' ', '\ud800', '\u0000', '{', '`');
  fc.assert(fc.property(fc.oneof(fc.string({ unit: 'binary' }), fc.array(piece, { maxLength: 20 }).map((pieces) => pieces.join(' '))), (source) => void faultOf(source)), { numRuns: 1_000 });
});

test('what CEL’s own machine works out over answers that are all there, this works out to the same', () => {
  const cel = new Environment().registerVariable('age', 'int').registerVariable('stars', 'int').registerVariable('income', 'double').registerVariable('name', 'string').registerVariable('smoker', 'bool').registerVariable('lived', 'list<string>');
  const number = fc.constantFrom('age', 'stars', '3', '-2', '0', '(age + stars)', '(age * 2 - stars)', '(age / stars)', '(age % 3)', 'size(name)', 'lived.size()');
  const atom = fc.oneof(
    fc.tuple(number, fc.constantFrom('==', '!=', '<', '<=', '>', '>='), number).map((parts) => parts.join(' ')),
    fc.tuple(fc.constantFrom('income', 'double(age)', '(income / 2.0)'), fc.constantFrom('<', '>='), fc.constantFrom('1.5', 'age', 'income')).map((parts) => parts.join(' ')),
    fc.constantFrom('smoker', 'name == "a"', 'name.contains("a")', 'name.startsWith("b")', '"Pune" in lived', 'age in [1, 2, 3]', 'name.matches("^a+$")', 'true'),
  );
  const { condition } = fc.letrec<{ condition: string }>((tie) => ({
    condition: fc.oneof({ maxDepth: 3 }, atom, fc.tuple(tie('condition'), fc.constantFrom('&&', '||'), tie('condition')).map(([a, operator, b]) => `(${a} ${operator} ${b})`),
      tie('condition').map((a) => `!(${a})`), fc.tuple(tie('condition'), tie('condition'), tie('condition')).map(([a, b, c]) => `(${a} ? ${b} : ${c})`)),
  }));
  const answers = fc.record({ age: fc.integer({ min: -5, max: 5 }), stars: fc.integer({ min: -5, max: 5 }), income: fc.double({ min: -5, max: 5, noNaN: true }), name: fc.constantFrom('', 'a', 'bab', '👍'), smoker: fc.boolean(), lived: fc.subarray(['Pune', 'Delhi']) });
  fc.assert(
    fc.property(condition.filter((source) => source.length <= 1_000), answers, (source, given) => {
      fc.pre([...source.matchAll(/\w+|[^\w\s]+/g)].length < 90);
      expect([source, given, run(source, given)]).toEqual([source, given, celValue(source, given)]);
    }),
    { numRuns: 2_000 },
  );

  function celValue(source: string, given: { age: number; stars: number } & Record<string, unknown>): unknown {
    try {
      return cel.evaluate(source, { ...given, age: BigInt(given.age), stars: BigInt(given.stars) });
    } catch (error) {
      if (String(error).includes('by zero')) return null;
      throw error;
    }
  }
});
