import { readFileSync } from 'node:fs';
import { getIntrospectionQuery } from 'graphql';
import { describe, expect, test } from 'vitest';
import { createDocuments } from '../../src/api/documents.ts';
import { defaultApiLimits, limits, type LimitName } from '../../src/api/limits.ts';
import { createPrepare, type Introspection, type Prepared } from '../../src/api/prepare.ts';
import { buildSchema } from '../../src/api/schema.ts';
import { newId } from '../../src/events/id.ts';
import type { Viewer } from '../../src/graphql/viewer.ts';

const schema = buildSchema();
const somebody: Viewer = { userId: newId('usr'), organizationId: newId('org'), credential: { kind: 'session', id: newId('ses'), role: 'owner' } };

function preparing(options: { limits?: Partial<Record<LimitName, number>>; introspection?: Introspection; viewer?: Viewer } = {}) {
  const own = { ...defaultApiLimits, ...options.limits };
  const prepare = createPrepare({ schema, documents: createDocuments({ schema, limits: own }), limits: own, introspection: options.introspection ?? 'signed-in' });
  return (query: string, variables?: Record<string, unknown>) => prepare({ query, variables, operationName: undefined }, options.viewer);
}
const codesOf = (prepared: Prepared) => ('refused' in prepared ? prepared.refused.map((error) => error.extensions['code']) : []);
const times = (count: number, text: (index: number) => string) => Array.from({ length: count }, (_, index) => text(index)).join(' ');
const nested = (levels: number): unknown => (levels === 0 ? 1 : { in: nested(levels - 1) });

/** Selections one in the other, as deep as asked. */
function chain(depth: number): string {
  const cycle = ['form(id: "x")', 'responses', 'edges', 'node'];
  const fields = Array.from({ length: depth - 1 }, (_, index) => (index === 0 ? cycle[0] : index % 4 === 0 ? 'form' : cycle[index % 4]));
  return `{ ${fields.join(' { ')} { __typename ${'}'.repeat(depth)}`;
}
const submit = 'mutation ($input: SubmitResponseInput!) { submitResponse(input: $input) { errors { code } } }';
const subscription = 'subscription ($id: ID!) { responseCreated(formId: $id) { cursor } }';
const submitMany = 'mutation ($input: SubmitResponsesInput!) { submitResponses(input: $input) { errors { code } } }';
const answers = (count: number) => Array.from({ length: count }, () => ({ key: 'q', value: Array.from({ length: 50 }, () => 'a JSON list is no list of the schema') }));

type Case = (size: number) => [query: string, variables?: Record<string, unknown>];
const cases: [LimitName, number, Case][] = [
  ['tokens', 20, (size) => [`{ ${times(size - 2, () => '__typename')} }`]],
  ['depth', 9, (size) => [chain(size)]],
  ['rootFields', 10, (size) => [`{ ${times(size, (index) => `a${index}: __typename`)} }`]],
  ['fields', 30, (size) => [`{ ...A ...A ${times(size - 30, () => '__typename')} } fragment A on Query { ${times(14, (index) => `a${index}: __typename`)} }`]],
  ['fields', 24, (size) => [`{ ${times(8, () => '... on Query { ...A }')} ${times(size - 24, () => '__typename')} } fragment A on Query { __typename }`]],
  ['aliases', 8, (size) => [`{ ...A ...A ${times(size - 8, () => 'b: __typename')} } fragment A on Query { ${times(4, (index) => `a${index}: __typename`)} }`]],
  ['directives', 8, (size) => [`{ ...A ...A @include(if: true) ${times(size - 8, () => '... @include(if: true) { __typename }')} } fragment A on Query { ${times(3, () => '__typename @include(if: true)')} ... @skip(if: false) { __typename } }`.replace('...A ...A @include(if: true)', '...A ...A')]],
  ['variables', 3, (size) => [`query (${times(size, (index) => `$v${index}: Boolean!`)}) { ${times(size, (index) => `a${index}: __typename @include(if: $v${index})`)} }`, {}]],
  ['variables', 3, (size) => ['{ __typename }', Object.fromEntries(Array.from({ length: size }, (_, index) => [`v${index}`, 1]))]],
  ['inputDepth', 6, (size) => [submit, { input: nested(size) }]],
  ['inputDepth', 6, (size) => [`mutation { submitResponse(input: { formId: "x", answers: [], metadata: ${'[ '.repeat(size - 1)}${' ]'.repeat(size - 1)} }) { errors { code } } }`]],
  ['listItems', 5, (size) => [submit, { input: { formId: 'x', answers: answers(size) } }]],
  ['listItems', 5, (size) => [submitMany, { input: { responses: [{ formId: 'x', answers: answers(1) }, { formId: 'x', answers: answers(size) }] } }]],
  ['listItems', 5, (size) => [`mutation { submitResponse(input: { formId: "x", answers: [${times(size, () => '{ key: "q" }')}] }) { errors { code } } }`]],
  ['subscriptionChars', 100, (size) => [subscription, { id: 'x'.repeat(size - subscription.length - '{"id":""}'.length) }]],
  ['cost', 1 + 2 + 7 * 2 + 1, (size) => ['query ($n: Int) { form(id: "x") { responses(first: $n) { edges { cursor } } title } }', { n: size - 11 }]],
];

describe('a request', () => {
  test.each(cases)('may come to its limit of %s, and not beyond', (name, size, request) => {
    const prepare = preparing({ limits: { [name]: size } });
    expect(codesOf(prepare(...request(size)))).toEqual([]);
    expect(codesOf(prepare(...request(size + 1)))).toEqual([limits[name].code]);
  });

  test('at the limits as they are is taken, one past is not', () => {
    const prepare = preparing();
    expect(codesOf(prepare(submit, { input: { formId: 'x', answers: answers(1_000) } }))).toEqual([]);
    expect(codesOf(prepare(submit, { input: { formId: 'x', answers: answers(1_001) } }))).toEqual(['LIST_TOO_LONG']);
    expect(codesOf(prepare(chain(15)))).toEqual([]);
    expect(codesOf(prepare(chain(16)))).toEqual(['TOO_DEEP']);
  });

  test('whose fragments multiply is measured without expanding them', () => {
    const fragments = times(60, (index) => `fragment F${index} on Query { a: form(id: "x") { id } ...F${index + 1} ... { ...F${index + 1} } }`);
    expect(codesOf(preparing()(`{ ...F0 } ${fragments} fragment F60 on Query { __typename }`))).toEqual(['TOO_MANY_FIELDS']);
    expect(codesOf(preparing()(`{ ${'me { '.repeat(3_300)} id ${'}'.repeat(3_300)} }`))).toEqual(['TOO_DEEP']);
  });
});

describe('the cost of a query', () => {
  const query = 'query ($n: Int = 7, $l: Int) { form(id: "x") { responses(first: $n, last: $l) { edges { node { id } } } } }';
  const costOf = (variables?: Record<string, unknown>) => {
    const prepared = preparing()(query, variables);
    return 'ready' in prepared ? prepared.ready.cost : prepared.refused[0]?.extensions;
  };

  test('follows the sizes of its pages, given by variables, defaults of variables, or nobody', () => {
    const costs = [{ n: 1 }, {}, { n: 100 }, { n: null }, { n: null, l: 3 }].map((variables) => costOf(variables));
    expect(costs.map((cost) => cost?.['requested'])).toEqual([5, 23, 302, 62, 11]);
    expect(costs[0]).toEqual({ requested: 5, limit: 250_000 });
  });

  test.each(['definition', 'changes(from: 1, to: 2) { kind }'])('counts each %s as what it takes, so that aliases do not repeat it at will', (field) => {
    const prepare = preparing();
    const ask = (count: number) => codesOf(prepare(`{ form(id: "x") { ${times(count, (index) => `a${index}: ${field}`)} } }`));
    expect([ask(12), ask(13)]).toEqual([[], ['TOO_COSTLY']]);
    expect(codesOf(prepare('{ forms(first: 100) { edges { node { ... on Form { ...A } } } } } fragment A on Form { definition }'))).toEqual(['TOO_COSTLY']);
  });

  test('is told with the refusal too', () => {
    const deep = 'query ($n: Int) { form(id: "x") { responses(first: $n) { edges { node { form { responses(first: $n) { edges { node { form { responses(first: 100) { edges { node { id } } } } } } } } } } } } }';
    const prepared = preparing()(deep, { n: 100 });
    expect('refused' in prepared && prepared.refused[0]?.extensions).toMatchObject({ code: 'TOO_COSTLY', cost: { limit: 250_000, requested: expect.any(Number) } });
  });
});

describe('introspection', () => {
  const mayAsk = (introspection: Introspection, viewer?: Viewer) => codesOf(preparing({ introspection, ...(viewer && { viewer }) })(getIntrospectionQuery()))[0] ?? 'yes';

  test('is for signed-in callers, for everyone, or for nobody, as is configured', () => {
    expect([mayAsk('signed-in', somebody), mayAsk('signed-in')]).toEqual(['yes', 'INTROSPECTION_DISABLED']);
    expect([mayAsk('everyone', somebody), mayAsk('everyone')]).toEqual(['yes', 'yes']);
    expect([mayAsk('nobody', somebody), mayAsk('nobody')]).toEqual(['INTROSPECTION_DISABLED', 'INTROSPECTION_DISABLED']);
  });

  test('is decided for each caller, whoever sent the same query before, and in fragments too', () => {
    const own = defaultApiLimits;
    const prepare = createPrepare({ schema, documents: createDocuments({ schema, limits: own }), limits: own, introspection: 'signed-in' });
    const ask = (query: string, viewer?: Viewer) => codesOf(prepare({ query, variables: undefined, operationName: undefined }, viewer));
    for (const query of [getIntrospectionQuery(), '{ ...A } fragment A on Query { a: __type(name: "Form") { name } }']) {
      expect([ask(query, somebody), ask(query), ask(query, somebody)]).toEqual([[], ['INTROSPECTION_DISABLED'], []]);
    }
    expect(ask('{ __typename me { __typename } }')).toEqual([]);
  });

  test('goes with suggestions: a stranger is not told which names are similar', () => {
    const messages = (viewer?: Viewer) => {
      const prepared = preparing(viewer && { viewer })('query ($input: SubmitResponseInpu!) { for(i: 1) { id } form(idd: "x") { titl } submitRespons }');
      return 'refused' in prepared ? prepared.refused.map((error) => error.message).join('\n') : '';
    };
    expect(messages(somebody)).toContain('Did you mean');
    expect(messages()).toContain('Cannot query field');
    expect(messages()).not.toContain('Did you mean');
  });
});

test('every limit stands in the README with its number, its code and its status', () => {
  const readme = readFileSync(new URL('../../README.md', import.meta.url), 'utf8');
  const amount = (value: number, unit: string): string => {
    if (unit === 'bytes') return value >= 1_048_576 ? `${value / 1_048_576} MiB` : `${value / 1_024} KiB`;
    if (unit === 'ms') return `${value / 1_000} s`;
    return `${value.toLocaleString('en')} ${unit}`;
  };
  const rows = Object.values(limits).map(({ what, value, unit, code, status, why }) => `| ${what} | ${amount(value, unit)} | \`${code}\` | ${status} | ${why} |`);
  expect(rows.filter((row) => !readme.includes(row))).toEqual([]);
  expect(readme.split('\n').filter((line) => /^\|.*\| \d{3} \|.*\|$/.test(line))).toHaveLength(rows.length);
});
