import fc from 'fast-check';
import {
  isEnumType, isInputObjectType, isListType, isNonNullType, isRequiredInputField,
  type GraphQLInputField, type GraphQLInputType,
} from 'graphql';

/** Values that people do not send: made from the schema's own input types, so that a new input is tried without being named. */

const mark = '@@raw:';

/** JSON that no JavaScript value stands for; `toJson` writes it as it is. */
const raw = (json: string): string => `${mark}${json}`;

/** JSON with what `raw` holds in it. */
export const toJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/"@@raw:(?:[^"\\]|\\.)*"/g, (text) => (JSON.parse(text) as string).slice(mark.length));

const idOfNothing = (prefix: string): string => `${prefix}_01h455vb4pex5vsknk084sn02q`;
const nested = (levels: number): string => raw('['.repeat(levels) + ']'.repeat(levels));
const nestedObjects = (levels: number): string => raw('{"a":'.repeat(levels) + '1' + '}'.repeat(levels));

const awkwardTexts = [
  '', ' ', '\u0000', 'a\u0000b', '\ud800', 'a\udc00', '\ud83d', '😀', '\u200b', '\u202e\u202d', 'e\u0301'.repeat(50), '\ufeff', '\uffff', '\u001b[31m', '\r\n', '\u2028',
  '__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', 'Infinity', '-0', '1e400', 'true',
  "'; drop table forms; --", "' or '1'='1", '$1', '%', '_', '\\', '{{7*7}}', '${7*7}', '<script>alert(1)</script>', '../../../etc/passwd', '[]', '{}', '"',
  'a'.repeat(300), '€'.repeat(3_000), 'x'.repeat(70_000), '(a+)+$', '(?<=a)b', '[', 'a{1000}{1000}', '+1', '+999999999999999999999', 'javascript:alert(1)', 'http://[::1', 'http://\u0000/',
  ...['form', 'q', 'resp', 'intg', 'dlv', 'usr', 'org', 'key', 'ch', 'evt', 'ses', 'sec'].map(idOfNothing), 'form_', '_', 'ans_', `form_${'z'.repeat(26)}`, `form_${'0'.repeat(26)}`,
  '9999-12-31T23:59:59Z', '0000-01-01T00:00:00Z', '-000001-01-01T00:00:00Z', '+275760-09-13T00:00:00Z', '2026-02-30T00:00:00Z', '2026-01-01T24:00:00Z', '2026-01-01T00:00:60Z', '2026-01-01T00:00:00+99:99', '2026-01-01',
];
const awkwardNumbers: unknown[] = [
  0, -1, 1, 2, 5, raw('-0'), raw('1e400'), raw('-1e400'), 2 ** 31, -(2 ** 31), 2 ** 31 - 1, 2 ** 53, raw('9007199254740993'), raw('1'.repeat(400)), 1e308, 5e-324, 0.1, 1e21, 1e-7,
];
const awkwardObjects: unknown[] = [
  null, [], {}, [null], [[]], { a: 1 }, raw('{"__proto__":{"polluted":true}}'), raw('{"constructor":{"prototype":{"polluted":true}}}'), raw('{"a":1,"a":2}'), raw('{"toJSON":1,"then":1}'),
  raw('{"length":1e9}'), { '': '' }, { '\u0000': 1 }, { '\ud800': 1 }, nested(31), nested(33), nested(65), nested(5_000), nestedObjects(32), nestedObjects(70), nestedObjects(3_000),
  Array.from({ length: 2_000 }, (_, index) => index), { latitude: 91, longitude: raw('1e400') }, { latitude: 1, longitude: 1, __typename: 'x' },
];

const text: fc.Arbitrary<unknown> = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...awkwardTexts) }, { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 40 }) });
const number: fc.Arbitrary<unknown> = fc.oneof({ weight: 3, arbitrary: fc.constantFrom(...awkwardNumbers) }, { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) });
const anything: fc.Arbitrary<unknown> = fc.oneof(text, number, fc.constantFrom(...awkwardObjects), fc.boolean(), fc.jsonValue({ maxDepth: 4 }));

/** What somebody who means well would send, by the name of the input field. */
export type Plausible = Record<string, readonly unknown[]>;

export interface Hostility {
  plausible: Plausible;
  /** Ids of things that are there. */
  ids: readonly string[];
  /** One value in so many is hostile. */
  oneIn: number;
}

/** Values of an input type, mostly such that they fit it. `name` is the field's or argument's. */
export function valuesOf(type: GraphQLInputType, name: string, hostility: Hostility): fc.Arbitrary<unknown> {
  const { plausible, oneIn } = hostility;
  const inner = isNonNullType(type) ? (type.ofType as GraphQLInputType) : type;
  // one name may be a text in one input, and an object in another
  const offered = isInputObjectType(inner) ? undefined : plausible[name];
  const good = offered ? fc.constantFrom(...offered) : fittingValues(inner, name, hostility);
  const hostile = fc.oneof({ weight: 2, arbitrary: hostileLeaf(inner) }, { weight: 1, arbitrary: anything });
  return fc.oneof({ weight: oneIn - 1, arbitrary: good }, { weight: 1, arbitrary: hostile });
}

function hostileLeaf(type: GraphQLInputType): fc.Arbitrary<unknown> {
  const name = String(type);
  return name === 'Int' || name === 'Float' ? number : name === 'String' || name === 'ID' || name === 'DateTime' ? text : anything;
}

function fittingValues(type: GraphQLInputType, name: string, hostility: Hostility): fc.Arbitrary<unknown> {
  if (isListType(type)) return fc.array(valuesOf(type.ofType, name, hostility), { maxLength: 3 });
  if (isEnumType(type)) return fc.constantFrom(...type.getValues().map((value) => value.name));
  if (isInputObjectType(type)) return type.isOneOf ? oneMember(Object.values(type.getFields()), hostility) : members(Object.values(type.getFields()), hostility);
  switch (String(type)) {
    case 'ID': return fc.constantFrom(...hostility.ids);
    case 'Int': return fc.constantFrom(0, 1, 2, 5);
    case 'Float': return fc.constantFrom(0, 1, 2.5);
    case 'Boolean': return fc.boolean();
    case 'DateTime': return fc.constantFrom('2026-11-21T02:15:00Z', '2027-01-01T00:00:00.5+05:30');
    default: return fc.oneof(text, fc.constant('Some text'));
  }
}

/** What may be left out mostly is, so that what is there has a chance to be taken. */
const members = (fields: readonly GraphQLInputField[], hostility: Hostility): fc.Arbitrary<unknown> =>
  fc.record(Object.fromEntries(fields.map((field) => {
    const value = valuesOf(field.type, field.name, hostility);
    return [field.name, isRequiredInputField(field) ? value : fc.oneof({ weight: 3, arbitrary: fc.constant(undefined) }, { weight: 1, arbitrary: value })];
  })));

const oneMember = (fields: readonly GraphQLInputField[], hostility: Hostility): fc.Arbitrary<unknown> =>
  fc.oneof(...fields.map((field) => valuesOf(field.type, field.name, hostility).map((value) => ({ [field.name]: value }))), members(fields, hostility));

/** A whole literal for a query: keys that are no names make it invalid, which is a case too. */
export function toLiteral(value: unknown, type: GraphQLInputType | undefined): string {
  const inner = isNonNullType(type) ? (type.ofType as GraphQLInputType) : type;
  if (typeof value === 'string' && value.startsWith(mark)) return value.slice(mark.length).replaceAll(/"(\w+)":/g, '$1:');
  if (typeof value === 'string') return isEnumType(inner) ? value : JSON.stringify(value);
  if (Array.isArray(value)) return `[${value.map((item) => toLiteral(item, isListType(inner) ? inner.ofType : undefined)).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return String(value);
  const typeOf = (key: string) => (isInputObjectType(inner) ? inner.getFields()[key]?.type : undefined);
  return `{${Object.entries(value).filter(([, item]) => item !== undefined).map(([key, item]) => `${key}: ${toLiteral(item, typeOf(key))}`).join(', ')}}`;
}

/** Texts and JSON of the worst kinds. */
export const hostileText = text;
export const hostileJson = anything;
