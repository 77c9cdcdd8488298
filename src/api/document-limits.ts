import { GraphQLError, Kind, type DocumentNode, type FragmentDefinitionNode, type SelectionSetNode } from 'graphql';

/** How large a query may be. Fragments count wherever they are spread. */
export interface DocumentLimits {
  tokens: number;
  depth: number;
  /** Fields of the operation itself, so also how many mutations it may hold. */
  rootFields: number;
  fields: number;
}

export const defaultDocumentLimits: DocumentLimits = { tokens: 10_000, depth: 15, rootFields: 100, fields: 5_000 };

/**
 * Throws GraphQLError where an operation asks for more than the limits allow. To be called before validation, whose
 * work grows with the square of a selection. Introspection is left out of the depth: it has a rule of its own.
 */
export function requireWithinLimits(document: DocumentNode, limits: DocumentLimits): void {
  const measure = createMeasure(document);
  for (const definition of document.definitions) {
    // Fragments too: an operation need not be there for validation to walk them.
    if (definition.kind !== Kind.OPERATION_DEFINITION && definition.kind !== Kind.FRAGMENT_DEFINITION) continue;
    const { depth, fields, rootFields } = measure(definition.selectionSet);
    if (depth > limits.depth) throw queryTooLarge(`The query is ${depth} levels deep; at most ${limits.depth} are possible.`);
    if (fields > limits.fields) throw queryTooLarge(`The query selects more than ${limits.fields} fields, fragments included.`);
    if (definition.kind === Kind.OPERATION_DEFINITION && rootFields > limits.rootFields) {
      throw queryTooLarge(`An operation may hold at most ${limits.rootFields} fields; this has ${rootFields}.`);
    }
  }
}

interface Size {
  depth: number;
  fields: number;
  /** Directly in the selection. */
  rootFields: number;
}

const nothing: Size = { depth: 0, fields: 0, rootFields: 0 };

/** Measures selections. Each fragment is measured once, so a document costs no more than its length. */
function createMeasure(document: DocumentNode): (selection: SelectionSetNode) => Size {
  const fragments = new Map<string, FragmentDefinitionNode>();
  for (const definition of document.definitions) {
    if (definition.kind === Kind.FRAGMENT_DEFINITION) fragments.set(definition.name.value, definition);
  }
  const measured = new Map<string, Size>();

  const ofFragment = (name: string): Size => {
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
      const size = node.kind === Kind.FIELD ? ofField(node.name.value, node.selectionSet)
        : node.kind === Kind.INLINE_FRAGMENT ? measure(node.selectionSet)
        : ofFragment(node.name.value);
      total.depth = Math.max(total.depth, size.depth);
      total.fields += size.fields;
      total.rootFields += size.rootFields;
    }
    return total;
  };

  const ofField = (name: string, selection: SelectionSetNode | undefined): Size => {
    const { depth, fields } = selection ? measure(selection) : nothing;
    return { depth: name.startsWith('__') ? 1 : depth + 1, fields: fields + 1, rootFields: 1 };
  };

  return measure;
}

/** What is told of a query past a limit. */
export const queryTooLarge = (message: string): GraphQLError => new GraphQLError(message, { extensions: { code: 'QUERY_TOO_LARGE' } });
