import fc from 'fast-check';
import { buildClientSchema, getIntrospectionQuery, printType, type GraphQLSchema } from 'graphql';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildSchema } from '../../src/api/schema.ts';
import { startDeliveryApi, type DeliveryApi } from '../support/delivery-api.ts';
import { fillLists, type Lists, type ListFixture } from '../support/lists.ts';
import { connectionFields, nodeTypes, selectionOf } from '../support/schema-walk.ts';

const connections = connectionFields(buildSchema());
const types = nodeTypes(buildSchema());
const rowsAtFirst = 9;

let api: DeliveryApi;
let filled: Lists;
let published: GraphQLSchema;

beforeAll(async () => {
  api = await startDeliveryApi();
  filled = await fillLists(api);
  for (const list of Object.values(filled.lists)) {
    while ((await list.rows()).length < rowsAtFirst) await list.grow();
  }
  published = buildClientSchema(await api.gql(getIntrospectionQuery(), {}, filled.owner.token));
});
afterAll(() => api[Symbol.asyncDispose]());

interface PageArgs { first?: number | null; last?: number | null; after?: string | null; before?: string | null }
interface Page {
  edges: { cursor: string; node: { id: string } }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

/** A field with the fields around it. */
const within = (path: readonly string[], inner: string): string => path.reduceRight((selected, field) => `${field} { ${selected} }`, inner);
const variables = '$first: Int, $last: Int, $after: String, $before: String';
const args = 'first: $first, last: $last, after: $after, before: $before';
const pageFields = 'edges { cursor node { id } } pageInfo { hasNextPage hasPreviousPage startCursor endCursor }';

const listNamed = (name: string): ListFixture => {
  const list = filled.lists[name];
  if (!list) throw new Error(`${name} is a connection without a fixture: give it one in test/support/lists.ts`);
  return list;
};
const ask = (name: string, given: PageArgs) =>
  api.post({ query: `query (${variables}) { ${within(listNamed(name).path, `${name.split('.')[1]}(${args}) { ${pageFields} }`)} }`, variables: given }, { token: filled.owner.token });
async function pageOf(name: string, given: PageArgs): Promise<Page> {
  const { body } = await ask(name, given);
  if (body.errors) throw new Error(JSON.stringify(body.errors));
  let found = body.data;
  for (const field of listNamed(name).path) if (!field.startsWith('...')) found = found[field.split('(')[0]!];
  return found[name.split('.')[1]!];
}
const idsOf = ({ edges }: Page): string[] => edges.map(({ node }) => node.id);

/** All ids, from one end to the other, in pages of these sizes; `between` happens after each page. */
async function walk(name: string, options: { sizes: readonly number[]; backward?: boolean; between?: () => Promise<unknown> }): Promise<string[]> {
  const ids: string[] = [];
  let cursor: string | null = null;
  for (let turn = 0; turn < 1_000; turn += 1) {
    const size = options.sizes[turn % options.sizes.length] ?? 1;
    const { edges, pageInfo }: Page = await pageOf(name, options.backward ? { last: size, before: cursor } : { first: size, after: cursor });
    expect([pageInfo.startCursor, pageInfo.endCursor]).toEqual([edges.at(0)?.cursor ?? null, edges.at(-1)?.cursor ?? null]);
    expect(edges.length).toBeLessThanOrEqual(size);
    const page = edges.map(({ node }) => node.id);
    if (options.backward) ids.unshift(...page);
    else ids.push(...page);
    expect(options.backward ? pageInfo.hasNextPage : pageInfo.hasPreviousPage).toBe(turn > 0);
    if (!(options.backward ? pageInfo.hasPreviousPage : pageInfo.hasNextPage)) return ids;
    cursor = options.backward ? pageInfo.startCursor : pageInfo.endCursor;
    await options.between?.();
  }
  throw new Error('the list does not end');
}

const sizes = fc.array(fc.integer({ min: 1, max: 12 }), { minLength: 1, maxLength: 5 });

test('every connection and every type of node has a fixture here, and no fixture is left over', () => {
  expect(Object.keys(filled.lists).toSorted()).toEqual(connections.map(({ name }) => name).toSorted());
  expect(Object.keys(filled.nodes).toSorted()).toEqual(types.map(({ name }) => name).toSorted());
});

describe.for(connections.map(({ name }) => name))('%s', (name) => {
  test('walked in pages of any sizes, forward or backward, is the table: each row once and in order', async () => {
    const rows = await listNamed(name).rows();
    await fc.assert(
      fc.asyncProperty(sizes, fc.boolean(), async (pages, backward) => {
        expect(await walk(name, { sizes: pages, backward })).toEqual(rows);
      }),
      { numRuns: 8 },
    );
  });

  test('answers of any window what the Relay specification says', async () => {
    const rows = await listNamed(name).rows();
    const cursors = (await pageOf(name, { first: 100 })).edges.map(({ cursor }) => cursor);
    expect(new Set(cursors).size).toBe(rows.length);
    const place = fc.option(fc.nat({ max: rows.length - 1 }));
    await fc.assert(
      fc.asyncProperty(place, place, fc.integer({ min: 0, max: 12 }), fc.boolean(), async (after, before, size, backward) => {
        const window = rows.slice(after === null ? 0 : after + 1, before ?? rows.length).filter((_, index) => before === null || after === null || after + 1 + index < before);
        const cursorAt = (index: number | null) => (index === null ? null : cursors[index]!);
        const page = await pageOf(name, { ...(backward ? { last: size } : { first: size }), after: cursorAt(after), before: cursorAt(before) });
        const expected = backward ? window.slice(Math.max(0, window.length - size)) : window.slice(0, size);
        expect(idsOf(page)).toEqual(expected);
        const isMore = window.length > size;
        expect(page.pageInfo).toMatchObject(backward ? { hasPreviousPage: isMore, hasNextPage: before !== null } : { hasNextPage: isMore, hasPreviousPage: after !== null });
      }),
      { numRuns: 20 },
    );
  });

  test('keeps its cursors while rows come in between the pages', async () => {
    const list = listNamed(name);
    const atFirst = await list.rows();
    expect(await walk(name, { sizes: [4, 3], backward: true, between: list.grow })).toEqual(atFirst);
    let grown = 0;
    const seen = await walk(name, { sizes: [4], between: async () => { if ((grown += 1) <= 2) await list.grow(); } });
    expect(grown).toBeGreaterThan(0);
    expect(seen).toEqual(await list.rows());
  });

  test('refuses cursors that are none, with the argument’s name', async () => {
    const { startCursor } = (await pageOf(name, { first: 1 })).pageInfo;
    const good = startCursor!;
    const foreign = fc.constantFrom(...['nope_01h455vb4pex5vsknk084sn02q', 'form_', '-1', '0', '1e3', '01', "1' or true --", '\u0000', '__proto__', '9'.repeat(40), '{}'].map((key) => Buffer.from(key).toString('base64url')));
    const mangled = fc.constantFrom('', '=', ` ${good}`, `${good}=`, `${good}A`, `${good}\n`, good + good, '😀', '\u0000', good.repeat(1_000));
    await fc.assert(
      fc.asyncProperty(fc.oneof(foreign, mangled), fc.constantFrom('after', 'before'), async (cursor, argument) => {
        const { body } = await ask(name, { [argument]: cursor });
        expect(body.errors).toMatchObject([{ message: expect.stringContaining(`"${argument}" is no cursor of this list`), extensions: { code: 'INVALID_INPUT', faults: [{ path: [argument] }] } }]);
      }),
      { numRuns: 40 },
    );
  });

  test('refuses the cursor of another kind of list', async () => {
    const good = (await pageOf(name, { first: 1 })).pageInfo.startCursor!;
    const kindOf = (cursor: string) => Buffer.from(cursor, 'base64url').toString().split('_')[0]!.replace(/\d+/, 'number');
    for (const other of Object.keys(filled.lists)) {
      const after = (await pageOf(other, { last: 1 })).pageInfo.endCursor!;
      if (kindOf(after) === kindOf(good)) continue;
      expect((await ask(name, { after })).body.errors).toMatchObject([{ extensions: { code: 'INVALID_INPUT' } }]);
    }
  });

  test('refuses page sizes out of range, both at once and negative ones', async () => {
    for (const [given, argument] of [[{ first: -1 }, 'first'], [{ last: -1 }, 'last'], [{ first: 101 }, 'first'], [{ last: 101 }, 'last'], [{ first: 2 ** 31 - 1 }, 'first'], [{ first: 1, last: 1 }, 'last']] as const) {
      const { body, status } = await ask(name, given);
      expect(status).toBe(200);
      expect(body.errors, JSON.stringify(given)).toMatchObject([{ extensions: { code: expect.stringMatching(/^(INVALID_INPUT|QUERY_TOO_LARGE)$/) } }]);
      if (body.errors[0].extensions.code === 'INVALID_INPUT') expect(body.errors[0].extensions.faults).toMatchObject([{ path: [argument] }]);
    }
    expect((await ask(name, { first: 2 ** 31 })).body.errors).toMatchObject([{ extensions: { code: expect.stringMatching(/^(BAD_USER_INPUT|QUERY_TOO_LARGE)$/) } }]);
    expect(idsOf(await pageOf(name, { first: null, last: null })).length).toBeGreaterThan(0);
  });

  test('has the shape that the Relay specification asks for', () => {
    const [parent, field] = name.split('.') as [string, string];
    const described = connectionFields(published).find((connection) => connection.name === name);
    if (!described) throw new Error(`${parent} has no ${field}`);
    expect(Object.fromEntries(described.field.args.map((argument) => [argument.name, String(argument.type)]))).toMatchObject({ first: 'Int', after: 'String', last: 'Int', before: 'String' });
    const { name: node } = described.nodeType;
    expect(String(described.field.type)).toBe(`${node}Connection!`);
    expect(printed(`${node}Connection`)).toContain(`edges: [${node}Edge!]!\n  pageInfo: PageInfo!`);
    expect(printed(`${node}Edge`)).toContain(`cursor: String!\n  node: ${node}!`);
  });
});

const printed = (name: string): string => {
  const type = published.getType(name);
  return type ? printType(type).replaceAll(/ *""".*?"""\n/gs, '') : '';
};

test('PageInfo, Node and node(id) are as the Relay specification asks', () => {
  for (const field of ['hasNextPage: Boolean!', 'hasPreviousPage: Boolean!', 'startCursor: String', 'endCursor: String']) expect(printed('PageInfo')).toContain(`  ${field}\n`);
  expect(printed('Node')).toBe('interface Node {\n  id: ID!\n}');
  expect(printed('Query')).toContain('node(id: ID!): Node\n');
});

/** All objects at the end of a path. */
function pluck(found: unknown, path: readonly string[]): unknown[] {
  const [field, ...rest] = path;
  if (Array.isArray(found)) return found.flatMap((item) => pluck(item, path));
  if (field === undefined || found === null) return found === null ? [] : [found];
  return pluck((found as Record<string, unknown>)[field.split('(')[0]!], rest);
}

test.for(types)('node(id) answers a $name with every field as its list did', async (type) => {
  const path = filled.nodes[type.name];
  if (!path) throw new Error(`${type.name} is a node without a fixture: give it one in test/support/lists.ts`);
  const selection = selectionOf(type, 2);
  const data = await api.gql(`{ ${within(path, selection)} }`, {}, filled.owner.token);
  const listed = pluck(data, path) as { id: string }[];
  expect(listed.length).toBeGreaterThan(0);
  for (const item of listed) {
    const query = `query ($id: ID!) { node(id: $id) { __typename id ... on ${type.name} { ${selection} } } }`;
    expect((await api.gql(query, { id: item.id }, filled.owner.token)).node).toEqual(item);
    expect((await api.gql('query ($id: ID!) { node(id: $id) { __typename id } }', { id: item.id }, filled.owner.token)).node).toEqual({ __typename: type.name, id: item.id });
  }
});
