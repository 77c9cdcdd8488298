import type { ObjectRef } from '@pothos/core';
import { UserError } from '../user-error.ts';
import { builder, type SchemaTypes } from './builder.ts';
import { decodeCursor, encodeCursor } from './cursor.ts';

export const maxPageSize = 100;
const defaultPageSize = 20;

export interface PageArgs {
  first?: number | null | undefined;
  after?: string | null | undefined;
  last?: number | null | undefined;
  before?: string | null | undefined;
}

/**
 * What to read for a page: at most `limit` rows with a key beyond `after` and below `before`, in the list's order, or
 * from its end when `reversed`.
 */
export interface KeysetRange {
  after: string | undefined;
  before: string | undefined;
  limit: number;
  reversed: boolean;
}

export interface Page<Node> {
  edges: { cursor: string; node: Node }[];
  pageInfo: { hasNextPage: boolean; hasPreviousPage: boolean; startCursor: string | null; endCursor: string | null };
}

/** The connection of a node type: `FormConnection` with `FormEdge`. Make one for each type and share it between fields. */
export function connectionType<Shape extends object>(node: ObjectRef<SchemaTypes, Shape>) {
  return builder.connectionObject({ type: node, name: `${node.name}Connection` }, { name: `${node.name}Edge` });
}

/**
 * Reads one page of a list whose order is that of a key: `first`/`after` from its start, `last`/`before` from its end.
 * Throws UserError for arguments out of range and for a cursor that is not one of this list's.
 */
export async function keysetPage<Node>(options: {
  args: PageArgs;
  load: (range: KeysetRange) => Promise<readonly Node[]>;
  keyOf: (node: NoInfer<Node>) => string;
  isKey: (key: string) => boolean;
}): Promise<Page<Node>> {
  const { args, keyOf, load } = options;
  const { size, reversed } = pageSize(args);
  const after = keyFrom('after', args.after, options.isKey);
  const before = keyFrom('before', args.before, options.isKey);
  // One row more than the page tells whether there is another page.
  const rows = await load({ after, before, limit: size + 1, reversed });
  const nodes = reversed ? rows.slice(0, size).toReversed() : rows.slice(0, size);
  const edges = nodes.map((node) => ({ cursor: encodeCursor(keyOf(node)), node }));
  const isMore = rows.length > size;
  return {
    edges,
    pageInfo: {
      hasNextPage: reversed ? before !== undefined : isMore,
      hasPreviousPage: reversed ? isMore : after !== undefined,
      startCursor: edges.at(0)?.cursor ?? null,
      endCursor: edges.at(-1)?.cursor ?? null,
    },
  };
}

function pageSize({ first, last }: PageArgs): { size: number; reversed: boolean } {
  if (typeof first === 'number' && typeof last === 'number') {
    throw new UserError('INVALID_INPUT', 'Give either first or last, not both.', ['last']);
  }
  const name = typeof last === 'number' ? 'last' : 'first';
  const size = last ?? first ?? defaultPageSize;
  if (size >= 0 && size <= maxPageSize) return { size, reversed: name === 'last' };
  throw new UserError('INVALID_INPUT', `"${name}" must be between 0 and ${maxPageSize}.`, [name]);
}

function keyFrom(name: 'after' | 'before', cursor: string | null | undefined, isKey: (key: string) => boolean): string | undefined {
  if (cursor === null || cursor === undefined) return undefined;
  const key = decodeCursor(cursor);
  if (key !== undefined && isKey(key)) return key;
  throw new UserError('INVALID_INPUT', `"${name}" is no cursor of this list; use one that the list has answered.`, [name]);
}
