import {
  getNamedType, isLeafType, isObjectType, isRequiredArgument,
  type GraphQLField, type GraphQLNamedType, type GraphQLObjectType, type GraphQLSchema,
} from 'graphql';

/** What tests find in a schema by walking it, so that nothing new stays untested because nobody thought of it. */

export interface ConnectionField {
  parent: GraphQLObjectType;
  field: GraphQLField<unknown, unknown>;
  /** For example `Form.responses`. */
  name: string;
  /** For example `Response`. */
  nodeType: GraphQLObjectType;
}

/** Our own object types. */
export const objectTypes = (schema: GraphQLSchema): GraphQLObjectType[] =>
  Object.values(schema.getTypeMap()).filter((type) => isObjectType(type)).filter(({ name }) => !name.startsWith('__'));

/** Every field that answers a connection. */
export function connectionFields(schema: GraphQLSchema): ConnectionField[] {
  return objectTypes(schema).flatMap((parent) =>
    Object.values(parent.getFields())
      .filter((field) => getNamedType(field.type).name.endsWith('Connection'))
      .map((field) => ({ parent, field, name: `${parent.name}.${field.name}`, nodeType: nodeTypeOf(getNamedType(field.type)) })),
  );
}

function nodeTypeOf(connection: GraphQLNamedType): GraphQLObjectType {
  const edge = isObjectType(connection) ? getNamedType(connection.getFields()['edges']!.type) : undefined;
  const node = isObjectType(edge) ? getNamedType(edge.getFields()['node']!.type) : undefined;
  if (!isObjectType(node)) throw new Error(`${connection.name} has no edges with nodes`);
  return node;
}

/** The types that implement `Node`. */
export const nodeTypes = (schema: GraphQLSchema): GraphQLObjectType[] =>
  objectTypes(schema).filter((type) => type.getInterfaces().some(({ name }) => name === 'Node'));

/** All that can be selected of a type without arguments, as many levels deep; connections are left out. */
export function selectionOf(type: GraphQLNamedType, levels: number): string {
  if (!isObjectType(type)) return '__typename';
  const fields = Object.values(type.getFields()).flatMap((field) => {
    const named = getNamedType(field.type);
    if (field.args.some(isRequiredArgument) || named.name.endsWith('Connection')) return [];
    if (isLeafType(named)) return [field.name];
    return levels > 1 ? [`${field.name} { ${selectionOf(named, levels - 1)} }`] : [];
  });
  return ['__typename', ...fields].join(' ');
}

