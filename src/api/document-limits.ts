import { Kind, type DirectiveNode, type DocumentNode, type FieldNode, type FragmentDefinitionNode, type SelectionNode, type SelectionSetNode, type ValueNode } from 'graphql';
import type { ApiLimits } from './limits.ts';
import { pastLimit } from './request-error.ts';

/** How large a query may be. Fragments count wherever they are spread. */
export type DocumentLimits = Pick<ApiLimits, 'tokens' | 'depth' | 'rootFields' | 'fields' | 'aliases' | 'directives' | 'variables' | 'inputDepth' | 'listItems'>;

/** What is known of a document without its schema. */
export interface Measured {
  /** Whether it asks for the schema; `__typename` does not. */
  introspects: boolean;
}

/**
 * Throws GraphQLError where an operation asks for more than the limits allow. To be called before validation, whose
 * work grows with the square of a selection. Introspection is left out of the depth: it has a rule of its own.
 */
export function requireWithinLimits(document: DocumentNode, limits: DocumentLimits): Measured {
  const measure = createMeasure(document, limits);
  let introspects = false;
  for (const definition of document.definitions) {
    // Fragments too: an operation need not be there for validation to walk them.
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const size = measure(definition.selectionSet);
    introspects ||= size.introspects;
    size.directives += (definition.directives ?? []).length;
    const variables = definition.kind === Kind.OPERATION_DEFINITION ? (definition.variableDefinitions ?? []) : [];
    for (const { directives, defaultValue } of variables) {
      size.directives += directives?.length ?? 0;
      if (defaultValue) requireSoundValue(defaultValue, limits);
    }
    requireSize(size, limits);
    if (definition.kind === Kind.OPERATION_DEFINITION && size.rootFields > limits.rootFields) {
      throw pastLimit('rootFields', `An operation may hold at most ${limits.rootFields} fields; this has ${size.rootFields}.`);
    }
    if (variables.length > limits.variables) throw pastLimit('variables', `An operation may have at most ${limits.variables} variables; this has ${variables.length}.`);
  }
  return { introspects };
}

function requireSize({ depth, fields, aliases, directives }: Size, limits: DocumentLimits): void {
  if (depth > limits.depth) throw pastLimit('depth', `The query is ${depth} levels deep; at most ${limits.depth} are possible.`);
  if (fields > limits.fields) throw pastLimit('fields', `The query selects more than ${limits.fields} fields, fragments included.`);
  if (aliases > limits.aliases) throw pastLimit('aliases', `The query has more than ${limits.aliases} aliases, fragments included.`);
  if (directives > limits.directives) throw pastLimit('directives', `The query has more than ${limits.directives} directives, fragments included.`);
}

interface Size {
  depth: number;
  fields: number;
  /** Directly in the selection. */
  rootFields: number;
  aliases: number;
  directives: number;
  introspects: boolean;
}

const nothing: Readonly<Size> = { depth: 0, fields: 0, rootFields: 0, aliases: 0, directives: 0, introspects: false };

/** Measures selections. Each fragment is measured once, so a document costs no more than its length. */
function createMeasure(document: DocumentNode, limits: DocumentLimits): (selection: SelectionSetNode) => Size {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Readonly<Size>>();

  const ofFragment = (name: string): Readonly<Size> => {
    const known = measured.get(name);
    if (known) return known;
    measured.set(name, nothing); // one that spreads itself ends here; validation refuses it
    const fragment = fragments.get(name);
    const size = fragment ? measure(fragment.selectionSet) : nothing;
    measured.set(name, size);
    return size;
  };

  const measure = (selection: SelectionSetNode): Size => {
    const total = { ...nothing };
    for (const node of selection.selections) {
      const size = ofSelection(node);
      total.depth = Math.max(total.depth, size.depth);
      total.fields += size.fields + (node.kind === Kind.FIELD ? 0 : 1); // a spread of nothing is work too
      total.rootFields += size.rootFields;
      total.aliases += size.aliases;
      total.directives += size.directives + directivesOf(node, limits);
      total.introspects ||= size.introspects;
    }
    return total;
  };

  const ofSelection = (node: SelectionNode): Readonly<Size> => {
    if (node.kind === Kind.FIELD) return ofField(node);
    return node.kind === Kind.INLINE_FRAGMENT ? measure(node.selectionSet) : ofFragment(node.name.value);
  };

  const ofField = ({ name: { value: name }, alias, arguments: given = [], selectionSet }: FieldNode): Size => {
    for (const argument of given) requireSoundValue(argument.value, limits);
    const { depth, fields, aliases, directives, introspects } = selectionSet ? measure(selectionSet) : nothing;
    return {
      depth: name.startsWith('__') ? 1 : depth + 1,
      fields: fields + 1,
      rootFields: 1,
      aliases: aliases + (alias ? 1 : 0),
      directives,
      introspects: introspects || name === '__schema' || name === '__type',
    };
  };

  return measure;
}

function directivesOf({ directives = [] }: { readonly directives?: readonly DirectiveNode[] | undefined }, limits: DocumentLimits): number {
  for (const directive of directives) for (const { value } of directive.arguments ?? []) requireSoundValue(value, limits);
  return directives.length;
}

/** A value written into the query: variables are looked at with the request that brings them. */
function requireSoundValue(value: ValueNode, limits: DocumentLimits, depth = 1): void {
  if (value.kind !== Kind.LIST && value.kind !== Kind.OBJECT) return;
  if (depth > limits.inputDepth) throw pastLimit('inputDepth', `A value is nested more than ${limits.inputDepth} levels deep.`);
  if (value.kind === Kind.OBJECT) {
    for (const field of value.fields) requireSoundValue(field.value, limits, depth + 1);
    return;
  }
  if (value.values.length > limits.listItems) throw pastLimit('listItems', `A list may have at most ${limits.listItems} items; one has ${value.values.length}.`);
  for (const item of value.values) requireSoundValue(item, limits, depth + 1);
}
