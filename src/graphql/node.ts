import type { ObjectRef } from '@pothos/core';
import type { Id, IdPrefix } from '../events/id.ts';
import { builder, type SchemaTypes } from './builder.ts';
import type { Loader } from './loader.ts';
import { nodeKindOf, registerNode } from './node-registry.ts';

/**
 * Declares a type with an id: it implements `Node`, has the field `id`, and `node(id)` finds it with `load` by the
 * prefix. Returns the reference; give it its fields with `.implement({ description, fields })`.
 */
export function nodeRef<P extends IdPrefix, Shape extends { id: Id<P> }>(
  name: string,
  options: { prefix: P; load: Loader<Id<P>, Shape> },
) {
  const ref = builder.objectRef<Shape>(name);
  ref.addInterfaces([builder.nodeInterfaceRef()]);
  const hasId: ObjectRef<SchemaTypes, { id: Id }> = ref;
  builder.objectField(hasId, 'id', (t) => t.exposeID('id'));
  registerNode(options.prefix, { typeName: name, load: options.load });
  return ref;
}

builder.queryField('node', (t) =>
  t.field({
    description: 'Anything by its id; null where there is no such thing, or it is not the viewer’s to see.',
    type: builder.nodeInterfaceRef(),
    nullable: true,
    args: { id: t.arg.id({ required: true }) },
    resolve: (_root, { id }, context) => nodeKindOf(id)?.load(context).load(id as Id),
  }),
);
