import { isDeepStrictEqual } from 'node:util';
import { getNamedType, type GraphQLSchema } from 'graphql';
import type { TestApi } from './api.ts';
import { nodeTypes, selectionOf } from './schema-walk.ts';

/** Payloads with what they name, and what that names; but what a deleted form leads to is out of everybody's reach. */
const levelsOf = (mutation: string): number => (mutation === 'deleteForm' ? 2 : 3);

/** Selects all that a mutation answers. */
export function wholePayload(schema: GraphQLSchema, mutation: string): string {
  const field = schema.getMutationType()?.getFields()[mutation];
  if (!field) throw new Error(`There is no mutation ${mutation}`);
  return selectionOf(getNamedType(field.type), levelsOf(mutation));
}

interface Asked {
  api: TestApi;
  schema: GraphQLSchema;
  mutation: string;
  /** All of it. */
  payload: unknown;
  token?: string;
}

/**
 * Where in a payload there are nodes of which a read right afterwards tells otherwise, or nothing: a mutation answers
 * from memory, where a value can be missing or of another form than in the database.
 */
export async function toldOtherwise({ api, schema, mutation, payload, token }: Asked): Promise<string[]> {
  const types = new Map<unknown, ReturnType<typeof nodeTypes>[number]>(nodeTypes(schema).map((type) => [type.name, type]));
  const otherwise: string[] = [];
  for (const { path, node, levels } of membersOf(payload, levelsOf(mutation))) {
    const type = types.get(node['__typename']);
    if (!type) continue;
    const query = `{ node(id: "${String(node['id'])}") { ... on ${type.name} { ${selectionOf(type, levels)} } } }`;
    const { body } = await api.post({ query }, token === undefined ? {} : { token });
    if (!isDeepStrictEqual(body.data?.node, node)) otherwise.push(path);
  }
  return otherwise;
}

/** The objects that a payload names, with how many levels were asked of them. */
function membersOf(payload: unknown, levels: number): { path: string; node: Record<string, unknown>; levels: number }[] {
  return Object.entries(payload ?? {}).flatMap(([path, value]) =>
    [value].flat().filter((one) => typeof one === 'object' && one !== null).map((one) => ({ path, node: one as Record<string, unknown>, levels: levels - 1 })),
  );
}
