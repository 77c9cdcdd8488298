import { prefixOf, type Id, type IdPrefix } from '../events/id.ts';
import type { Loader } from './loader.ts';

/** A kind of node: its GraphQL type, and how to find one. */
export interface NodeKind {
  typeName: string;
  load: Loader<Id, { id: Id }>;
}

/** Whatever looks different is no id, and must not get as far as the database. */
const idPattern = /^[a-z]+_[0-9a-z]{26,52}$/;

const kinds = new Map<IdPrefix, NodeKind>();

export function registerNode(prefix: IdPrefix, kind: NodeKind): void {
  if (kinds.has(prefix)) throw new Error(`Two node types have the prefix "${prefix}"`);
  kinds.set(prefix, kind);
}

/** The kind of node an id names; undefined where there is none. */
export function nodeKindOf(id: string): NodeKind | undefined {
  const prefix = idPattern.test(id) ? prefixOf(id) : undefined;
  return prefix && kinds.get(prefix);
}

/** The GraphQL type of an object behind the interface `Node`: its id says it. */
export function nodeTypeNameOf(node: unknown): string | undefined {
  const id = typeof node === 'object' && node !== null && 'id' in node ? node.id : undefined;
  return typeof id === 'string' ? nodeKindOf(id)?.typeName : undefined;
}
