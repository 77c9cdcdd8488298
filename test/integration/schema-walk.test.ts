import { isDeepStrictEqual } from 'node:util';
import { getNamedType, isLeafType, isObjectType, isRequiredArgument, type GraphQLField, type GraphQLNamedType, type GraphQLObjectType } from 'graphql';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { buildSchema } from '../../src/api/schema.ts';
import { toldOtherwise, wholePayload } from '../support/payloads.ts';
import { subscribeOverSse, type Subscription } from '../support/subscriber.ts';
import { openTenantSnapshots, type TenantSnapshots } from '../support/tenant-snapshot.ts';
import { actors, keys, people, startWalkWorld, type Actor, type Things, type WalkWorld } from '../support/walk-world.ts';
import { roles, scopes } from '../../src/graphql/viewer.ts';
import { args, consuming, doors, inputs, nodes, parts, table, unread, variants } from './schema-walk.table.ts';

// one of its providers can do everything, or there would be mutations that nobody could do
vi.mock('../../integrations/index.ts', async (original) => (await import('../support/fake-provider.ts')).withFake(await original()));

const schema = buildSchema();
const typeNamed = (name: string): GraphQLObjectType => {
  const type = schema.getType(name);
  if (!isObjectType(type)) throw new Error(`There is no object type ${name}`);
  return type;
};
const isNode = (type: unknown): boolean => isObjectType(type) && type.getInterfaces().some((one) => one.name === 'Node');
const objects = Object.values(schema.getTypeMap()).filter((type): type is GraphQLObjectType => isObjectType(type) && !type.name.startsWith('__'));

let world: WalkWorld;
let snapshots: TenantSnapshots;
let things: Things;
let ids: Set<string>;
beforeAll(async () => {
  world = await startWalkWorld();
  snapshots = await openTenantSnapshots(world.api.pool);
  things = await world.newThings();
  ids = await snapshots.ids(world.organizationId);
});
afterAll(() => world[Symbol.asyncDispose]());

const [header = '', ...lines] = table.split('\n').filter((line) => line.trim() !== '');
const columns = header.trim().split(/\s+/) as Actor[];
const rows = lines.map((line) => {
  const [name = '', ...expected] = line.trim().split(/\s+/);
  return { name, expected: Object.fromEntries(columns.map((column, index) => [column, expected[index]])) };
});
const named = new Set(rows.map(({ name }) => name));

test('every role, every scope and every stranger has a column', () => {
  expect(columns.toSorted()).toEqual([...actors].toSorted());
  expect(Object.values(keys).toSorted()).toEqual([...scopes].toSorted());
  expect(roles.filter((role) => role !== 'partner' && !people.includes(role))).toEqual([]);
});

test('every field that leads to an object, every kind of node, every mutation and every subscription has a row', () => {
  const missing = required().filter((name) => !named.has(name));
  expect(missing, `without a row in schema-walk.table.ts: ${missing.join(' ')}`).toEqual([]);
});

test('the owner is shown something of every field, or the others’ nothing would say nothing', () => {
  const plain = (name: string): string => name.replace(/\/\w+/, '');
  const shown = new Set(rows.filter(({ expected }) => ['all', 'ok', 'own', 'I'].includes(expected['owner'] ?? '')).map(({ name }) => plain(name)));
  expect(rows.map(({ name }) => plain(name)).filter((name) => !shown.has(name))).toEqual([]);
});

test('every row is about something in the schema', () => {
  const known = new Set(required());
  const isKnown = (name: string): boolean => known.has(name) || known.has(name.replace(/\/\w+/, '')) || isLeafOf(name);
  expect(rows.map(({ name }) => name).filter((name) => !isKnown(name))).toEqual([]);
  expect(new Set(rows.map(({ name }) => name)).size).toBe(rows.length);
});

/** What must have a row, by the schema alone. */
function required(): string[] {
  const edges = objects.filter(isSource).flatMap((type) =>
    Object.values(type.getFields())
      .filter((field) => type.name !== 'Query' || field.name !== 'node') // which is asked for each kind
      .filter((field) => type.name === 'Query' || !isPart(getNamedType(field.type)))
      .flatMap((field) => kindsOf(type.name).map((kind) => `${kind}.${field.name}`)),
  );
  const kinds = objects.filter(isNode).flatMap((type) => kindsOf(type.name)).filter((kind) => kind in nodes || !kind.includes('/'));
  const fieldsOf = (type: GraphQLObjectType | null | undefined): string[] => Object.keys(type?.getFields() ?? {}).map((field) => `${type?.name}.${field}`);
  return [...edges, ...kinds.map((kind) => `node(${kind})`), ...fieldsOf(schema.getMutationType()), ...fieldsOf(schema.getSubscriptionType())];
}

const isPart = (type: GraphQLNamedType): boolean => isLeafType(type) || parts.includes(type.name);

const kindsOf = (typeName: string): string[] => [typeName, ...(variants[typeName] ?? []).map((variant) => `${typeName}/${variant}`)];

/** Payloads hold what their mutation answers, pages what their list does: who gets those is for its own row to say. */
const isSource = ({ name }: GraphQLObjectType): boolean =>
  name !== 'Mutation' && name !== 'Subscription' && !parts.includes(name) && !/(Payload|Result|Connection|Edge)$/.test(name);

function isLeafOf(name: string): boolean {
  const [kind = '', field = ''] = name.split('.');
  const type = schema.getType(kind.replace(/\/.*/, ''));
  return isObjectType(type) && field in type.getFields();
}

const reads = rows.filter(({ name }) => !name.startsWith('Mutation.'));
const mutations = rows.filter(({ name }) => name.startsWith('Mutation.'));

describe('reads', () => {
  test.each(reads)('$name', async ({ name, expected }) => {
    const { value: whole } = await read(name, 'owner');
    const actual: Record<string, string> = {};
    for (const actor of columns) actual[actor] = outcomeOf(await read(name, actor), whole);
    expect(actual, inTable(name, actual)).toEqual(expected);
  });
});

describe('mutations', () => {
  test.each(mutations)('$name', async ({ name, expected }) => {
    const actual: Record<string, string> = {};
    let scene = await newScene();
    for (const actor of columns) {
      const { outcome, after } = await mutate(name.slice('Mutation.'.length), { actor, ...scene });
      actual[actor] = outcome;
      scene = outcome === 'ok' ? await newScene() : { ...scene, before: after }; // nothing else has touched anything
    }
    expect(actual, inTable(name, actual)).toEqual(expected);
  });
});

const inTable = (name: string, actual: Record<string, string>): string => `as it is: ${[name, ...columns.map((actor) => actual[actor])].join(' ')}\n`;

interface Answer {
  code?: string;
  isHidden?: boolean;
  value?: unknown;
}

const short: Record<string, string> = { UNAUTHENTICATED: 'U', FORBIDDEN: 'F', NOT_FOUND: 'N', INVALID_INPUT: 'X', INVITATION_INVALID: 'I' };

function outcomeOf({ code, isHidden, value }: Answer, whole: unknown): string {
  if (code !== undefined) return short[code] ?? code;
  if (isHidden) return '-';
  if (isNothing(value)) return 'none';
  if (isDeepStrictEqual(value, whole)) return 'all';
  const named = JSON.stringify(value).match(/[a-z]+_[0-9a-hjkmnp-tv-z]{26,52}/g) ?? [];
  return named.length > 0 && !named.some(isOfOrganization) ? 'own' : 'some';
}

/** An answer has no row: it is its response's. */
const isOfOrganization = (id: string): boolean => ids.has(id) || (id.startsWith('ans_') && ids.has(`resp_${id.slice(4, 30)}`));

const isNothing = (value: unknown): boolean =>
  value === null || value === undefined || (Array.isArray(value) && value.length === 0)
  || (typeof value === 'object' && 'edges' in value && Array.isArray(value.edges) && value.edges.length === 0);

/** Asks for one field of one thing. */
async function read(name: string, actor: Actor): Promise<Answer> {
  const { operation, variables, path, selection } = callOf(name);
  const asked = { query: operation.replace('SELECTION', selection), ...(variables && { variables }) };
  const body = operation.startsWith('subscription') ? await firstTold(asked, actor) : (await world.api.post(asked, withToken(actor))).body;
  const code = firstCode(body);
  if (code !== undefined) return { code };
  const source = path.reduce((at, member) => at?.[member], body.data);
  return source === null || source === undefined ? { isHidden: true } : { value: source.value };
}

/** The first result of a subscription, which may be why there is none. */
// oxlint-disable-next-line typescript/no-explicit-any -- any subscription's result
async function firstTold(asked: Subscription, actor: Actor): Promise<any> {
  const subscriber = await subscribeOverSse(world.api.url, { ...asked, ...withToken(actor) });
  const [first] = await subscriber.until(1);
  subscriber.disconnect();
  return first?.result;
}

function callOf(name: string): { operation: string; variables?: Record<string, unknown> | undefined; path: readonly string[]; selection: string } {
  const kind = /^node\((.+)\)$/.exec(name)?.[1];
  if (kind) return { ...doorOf('Query'), selection: `value: node(id: "${exampleOf(kind)}") { id }` };
  const [source = '', fieldName = ''] = name.split('.');
  const type = typeNamed(source.replace(/\/.*/, ''));
  const field = type.getFields()[fieldName];
  if (!field) throw new Error(`${type.name} has no field ${fieldName}`);
  return { ...doorOf(source), selection: `value: ${fieldName}${argumentsOf(`${source}.${fieldName}`, field)} ${selectionOf(getNamedType(field.type))}` };
}

function doorOf(source: string): { operation: string; variables?: Record<string, unknown> | undefined; path: readonly string[] } {
  const door = doors[source];
  const variables = door?.input ? { input: door.input(things) } : { ...door?.variables?.(things) };
  if (door) return { operation: door.operation, path: door.path, variables };
  return { operation: `{ node(id: "${exampleOf(source)}") { ... on ${source.replace(/\/.*/, '')} { SELECTION } } }`, path: ['node'] };
}

function exampleOf(kind: string): string {
  const example = nodes[kind];
  if (!example) throw new Error(`schema-walk.table.ts has no example of ${kind}, and no door to it`);
  return example(things);
}

function argumentsOf(name: string, field: GraphQLField<unknown, unknown>): string {
  const given = args[name]?.(things) ?? {};
  const needed = field.args.filter((arg) => isRequiredArgument(arg) && !(arg.name in given));
  const values = {
    ...(field.args.some((arg) => arg.name === 'first') && { first: 100 }),
    ...Object.fromEntries(needed.map((arg) => [arg.name, argumentOf(name, { field, argument: arg.name })])),
    ...given,
  };
  const written = Object.entries(values).map(([argument, value]) => `${argument}: ${JSON.stringify(value)}`);
  return written.length === 0 ? '' : `(${written.join(', ')})`;
}

function argumentOf(name: string, { field, argument }: { field: GraphQLField<unknown, unknown>; argument: string }): string {
  const type = getNamedType(field.type);
  if (argument === 'id' && isNode(type)) return exampleOf(type.name);
  throw new Error(`schema-walk.table.ts does not say what ${name} needs as ${argument}`);
}

function selectionOf(type: GraphQLNamedType): string {
  if (isLeafType(type)) return '';
  if (type.name.endsWith('Connection')) return '{ edges { node { id } } }';
  if (isNode(type) || type.name === 'Node') return '{ id }';
  if (!isObjectType(type)) return '{ __typename }';
  const leaves = Object.values(type.getFields()).filter((field) => isLeafType(getNamedType(field.type)) && !field.args.some(isRequiredArgument));
  return `{ __typename ${leaves.map((field) => field.name).join(' ')} }`;
}

let uniques = 0;

/** Things that nobody has changed yet, and how the organisation's rows stand. */
interface Scene {
  targets: Things;
  before: Record<string, string>;
}

const newScene = async (): Promise<Scene> => ({ targets: await world.newThings(), before: await snapshots.take(world.organizationId) });

/** Sends a sound mutation, and looks at what became of the organisation's rows. */
async function mutate(name: string, { actor, targets, before }: Scene & { actor: Actor }): Promise<{ outcome: string; after: Scene['before'] }> {
  const inputOf = inputs[name];
  if (!inputOf) throw new Error(`schema-walk.table.ts has no input for the mutation ${name}`);
  const field = name.replace(/\/.*/, '');
  const input = inputOf({ ...targets, unique: `unique${(uniques += 1)}` }, world.credentialsOf(actor));
  const selection = actor === 'owner' ? wholePayload(schema, field) : 'errors { code message }';
  const query = `mutation ($input: ${field.charAt(0).toUpperCase()}${field.slice(1)}Input!) { ${field}(input: $input) { ${selection} } }`;
  const { body } = await world.api.post({ query, variables: { input } }, withToken(actor));
  const after = await snapshots.take(world.organizationId);
  if (consuming.includes(field)) await world.logInAgain(actor);
  const changed = Object.keys(after).filter((name) => after[name] !== before[name]);
  const code = firstCode(body);
  if (code === undefined && actor === 'owner') await expectAsRead(field, body.data[field]);
  if (code === undefined) return { after, outcome: changed.length > 0 ? 'ok' : 'own' };
  return { after, outcome: changed.length > 0 ? `${code}, but changed ${changed.join(', ')}` : (short[code] ?? code) };
}

/** A value that is only right once it was written and read would hide from all that ask for no more than an id. */
async function expectAsRead(mutation: string, payload: unknown): Promise<void> {
  const otherwise = await toldOtherwise({ api: world.api, schema, mutation, payload, ...withToken('owner') });
  expect(otherwise, `${mutation} answers what a read does not`).toEqual(unread[mutation] ?? []);
}

const withToken = (actor: Actor): { token?: string } => {
  const { token } = world.credentialsOf(actor);
  return token === undefined ? {} : { token };
};

// oxlint-disable-next-line typescript/no-explicit-any -- any mutation's answer
function firstCode({ errors = [], data }: { errors?: { extensions?: { code?: string } }[]; data?: any }): string | undefined {
  const [error] = errors;
  if (error) return error.extensions?.code ?? 'an error without a code';
  for (const payload of Object.values<{ errors?: { code: string }[] } | null>(data ?? {})) {
    const [fault] = payload?.errors ?? [];
    if (fault) return fault.code;
  }
  return undefined;
}
