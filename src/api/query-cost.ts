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
  type SelectionNode,
  type SelectionSetNode,
} from 'graphql';
import { maxPageSize } from '../graphql/connection.ts';

/** Items of a page without `first` or `last`. */
const defaultPage = 20;
/** How long lists without a bound of their own are taken to be; the items of a page are counted at the page itself. */
const usualLengths: Record<string, number> = { edges: 1, errors: 1, questions: 100, choices: 20, jobs: 20, differences: 100 };
const usualLength = 10;

type Variables = Record<string, unknown>;

/** A cost that is known, or depends on variables and on how many items a list directly below has, where the call says so. */
type Cost = number | ((variables: Variables, items: number) => number);

/** An operation of a document, with the variables of a request. */
export interface Costed {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  variables: Variables | undefined;
}

/**
 * Tells the fields that the answer of a valid operation may come to, counted as if every list were as long as is usual
 * for its kind: it is large for a page in a page in a page, or the whole form beside each of a thousand submitted
 * responses. A field that works on a whole form in one go counts as many. `first: $n` counts by its variable. What does not depend on variables is counted once for an operation; a
 * document within its limits takes no more time than it has fields.
 */
export function createCosts(schema: GraphQLSchema): (costed: Costed) => number {
  const known = new WeakMap<OperationDefinitionNode, Cost>();
  return ({ document, operation, variables }) => {
    const cost = known.get(operation) ?? costOfOperation({ schema, document, operation });
    known.set(operation, cost);
    return typeof cost === 'number' ? cost : cost(withDefaults(operation, variables), 0);
  };
}

function costOfOperation({ schema, document, operation }: { schema: GraphQLSchema; document: DocumentNode; operation: OperationDefinitionNode }): Cost {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const typed = (name: string | undefined): GraphQLNamedType | undefined => (name === undefined ? undefined : schema.getType(name));

  const ofSelections = ({ selections }: SelectionSetNode, parent: GraphQLNamedType | undefined): Cost => {
    const costs = selections.map((node) => ofSelection(node, parent));
    const fixed = costs.reduce<number>((sum, cost) => sum + (typeof cost === 'number' ? cost : 0), 0);
    const others = costs.filter((cost) => typeof cost === 'function');
    if (others.length === 0) return fixed;
    return (variables, items) => others.reduce((sum, cost) => sum + cost(variables, items), fixed);
  };

  const ofSelection = (node: SelectionNode, parent: GraphQLNamedType | undefined): Cost => {
    if (node.kind === Kind.FIELD) return ofField(node, parent);
    if (node.kind === Kind.INLINE_FRAGMENT) return ofSelections(node.selectionSet, typed(node.typeCondition?.name.value) ?? parent);
    const fragment = fragments.get(node.name.value);
    return fragment ? ofSelections(fragment.selectionSet, typed(fragment.typeCondition.name.value)) : 0;
  };

  const ofField = (node: FieldNode, parent: GraphQLNamedType | undefined): Cost => {
    const field = isObjectType(parent) || isInterfaceType(parent) ? parent.getFields()[node.name.value] : undefined;
    const own = field ? weightOf(field) : 1;
    if (!field || !node.selectionSet || !isCompositeType(getNamedType(field.type))) return own;
    const count = countOf(field, node);
    const below = ofSelections(node.selectionSet, getNamedType(field.type));
    if (typeof count === 'number' && typeof below === 'number') return own + count * below;
    return (variables, items) => own + valueOf(count, variables, items) * valueOf(below, variables, submitted(node, variables));
  };

  return ofSelections(operation.selectionSet, schema.getRootType(operation.operation) ?? undefined);
}

const valueOf = (cost: Cost, variables: Variables, items: number): number => (typeof cost === 'number' ? cost : cost(variables, items));

function withDefaults({ variableDefinitions = [] }: OperationDefinitionNode, given: Variables = {}): Variables {
  const absent = variableDefinitions.filter(({ variable, defaultValue }) => defaultValue && given[variable.name.value] === undefined);
  if (absent.length === 0) return given;
  const defaults = absent.map(({ variable, defaultValue }) => [variable.name.value, defaultValue && valueFromASTUntyped(defaultValue)]);
  return { ...given, ...Object.fromEntries(defaults) };
}

/** As many fields as what it takes is worth: its extension `cost` says so where that is not one. */
function weightOf({ extensions: { cost } }: GraphQLField<unknown, unknown>): number {
  return typeof cost === 'number' ? cost : 1;
}

/** How many objects a field may answer. */
function countOf(field: GraphQLField<unknown, unknown>, node: FieldNode): Cost {
  if (getNamedType(field.type).name.endsWith('Connection')) return pageOf(node);
  if (!isListType(getNullableType(field.type))) return 1;
  return field.name === 'results' ? (_variables, items) => items : (usualLengths[field.name] ?? usualLength);
}

/** What is no size of a page is refused later, and costs no more than the largest. */
function pageOf(node: FieldNode): Cost {
  const sizeOf = (variables: Variables): number => {
    const size = argument(node, 'first', variables) ?? argument(node, 'last', variables) ?? defaultPage;
    return typeof size === 'number' && size >= 0 && size <= maxPageSize ? size : maxPageSize;
  };
  const isFixed = (node.arguments ?? []).every(({ name, value }) => (name.value !== 'first' && name.value !== 'last') || value.kind !== Kind.VARIABLE);
  return isFixed ? sizeOf({}) : sizeOf;
}

/** Responses in the input of `submitResponses`, each of which has a result. */
function submitted(node: FieldNode, variables: Variables): number {
  const input = argument(node, 'input', variables);
  const responses = typeof input === 'object' && input !== null && 'responses' in input ? input.responses : undefined;
  return Array.isArray(responses) ? responses.length : 1;
}

function argument(node: FieldNode, name: string, variables: Variables): unknown {
  const given = node.arguments?.find((candidate) => candidate.name.value === name);
  return given && valueFromASTUntyped(given.value, variables);
}
