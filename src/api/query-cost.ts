import {
  getNamedType,
  isCompositeType,
  isListType,
  getNullableType,
  isInterfaceType,
  isObjectType,
  Kind,
  valueFromASTUntyped,
  type DocumentNode,
  type FieldNode,
  type FragmentDefinitionNode,
  type GraphQLField,
  type GraphQLNamedType,
  type GraphQLSchema,
  type OperationDefinitionNode,
  type SelectionSetNode,
} from 'graphql';
import { maxPageSize } from '../graphql/connection.ts';

/** Items of a page without `first` or `last`. */
const defaultPage = 20;
/** How long lists without a bound of their own are taken to be; the items of a page are counted at the page itself. */
const usualLengths: Record<string, number> = { edges: 1, errors: 1, questions: 50, choices: 20 };
const usualLength = 10;

export interface Costed {
  schema: GraphQLSchema;
  document: DocumentNode;
  operation: OperationDefinitionNode;
  variables: Record<string, unknown> | undefined;
}

/**
 * The fields that the answer of a valid operation may come to, counted as if every list were as long as is usual for
 * its kind: it is large for a page in a page in a page, or the whole form beside each of a thousand submitted
 * responses. `first: $n` counts by its variable. A document within its limits takes no more time than it has fields.
 */
export function costOfOperation({ schema, document, operation, variables: given }: Costed): number {
  const variables = withDefaults(operation, given);
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }

  const costOf = (selection: SelectionSetNode, parent: GraphQLNamedType | undefined, items: number): number => {
    let cost = 0;
    for (const node of selection.selections) {
      if (node.kind === Kind.FIELD) cost += ofField(node, parent, items);
      else if (node.kind === Kind.INLINE_FRAGMENT) cost += costOf(node.selectionSet, typed(node.typeCondition?.name.value) ?? parent, items);
      else {
        const fragment = fragments.get(node.name.value);
        if (fragment) cost += costOf(fragment.selectionSet, typed(fragment.typeCondition.name.value), items);
      }
    }
    return cost;
  };
  const typed = (name: string | undefined): GraphQLNamedType | undefined => (name === undefined ? undefined : schema.getType(name));

  /** `items`: how many a list directly below has, where the call says so. */
  const ofField = (node: FieldNode, parent: GraphQLNamedType | undefined, items: number): number => {
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    if (!field || !node.selectionSet || !isCompositeType(getNamedType(field.type))) return 1;
    const asked = argumentsOf(node, variables);
    return 1 + countOf(field, asked, items) * costOf(node.selectionSet, getNamedType(field.type), submitted(asked));
  };

  const root = schema.getRootType(operation.operation);
  return costOf(operation.selectionSet, root ?? undefined, 0);
}

function withDefaults({ variableDefinitions = [] }: OperationDefinitionNode, given: Record<string, unknown> = {}): Record<string, unknown> {
  const absent = variableDefinitions.filter(({ variable, defaultValue }) => defaultValue && given[variable.name.value] === undefined);
  if (absent.length === 0) return given;
  const defaults = absent.map(({ variable, defaultValue }) => [variable.name.value, defaultValue && valueFromASTUntyped(defaultValue)]);
  return { ...given, ...Object.fromEntries(defaults) };
}

/** How many objects a field may answer. */
function countOf(field: GraphQLField<unknown, unknown>, asked: Record<string, unknown>, items: number): number {
  if (getNamedType(field.type).name.endsWith('Connection')) return pageOf(asked);
  if (!isListType(getNullableType(field.type))) return 1;
  return field.name === 'results' ? items : (usualLengths[field.name] ?? usualLength);
}

/** What is no size of a page is refused later, and costs no more than the largest. */
function pageOf(asked: Record<string, unknown>): number {
  const size = asked['first'] ?? asked['last'] ?? defaultPage;
  return typeof size === 'number' && size >= 0 && size <= maxPageSize ? size : maxPageSize;
}

/** Responses in the input of `submitResponses`, each of which has a result. */
function submitted(asked: Record<string, unknown>): number {
  const input = asked['input'];
  const responses = typeof input === 'object' && input !== null && 'responses' in input ? input.responses : undefined;
  return Array.isArray(responses) ? responses.length : 1;
}

const argumentsOf = (node: FieldNode, variables: Record<string, unknown>): Record<string, unknown> =>
  Object.fromEntries((node.arguments ?? []).map((argument) => [argument.name.value, valueFromASTUntyped(argument.value, variables)]));
