import {
  isInputObjectType,
  isInputType,
  isListType,
  isNonNullType,
  typeFromAST,
  type GraphQLError,
  type GraphQLInputType,
  type GraphQLSchema,
  type NamedTypeNode,
  type OperationDefinitionNode,
} from 'graphql';
import type { ApiLimits } from './limits.ts';
import { pastLimit } from './request-error.ts';

type Variables = Record<string, unknown>;

/** Says what is wrong with the size of a request's variables, before anything is made of them. */
export type InputLimits = (operation: OperationDefinitionNode, variables: Variables | undefined) => GraphQLError | undefined;

/** Looks at one value of a type; throws where a list in it is too long. Undefined: there is nothing to look at. */
type Inspect = ((value: unknown, path: string) => void) | undefined;
interface NamedInspect {
  name: string;
  inspect: NonNullable<Inspect>;
}

/**
 * Lists are found by the types of the variables, so that a response's fifty answers cost one look at their number. What
 * stands under a JSON scalar is no list of the schema's; its depth counts.
 */
export function createInputLimits(schema: GraphQLSchema, limits: Pick<ApiLimits, 'variables' | 'inputDepth' | 'listItems'>): InputLimits {
  const inspectorOf = createInspectors(limits.listItems);
  const inspectors = new WeakMap<OperationDefinitionNode, NamedInspect[]>();

  const inspectorsOf = (operation: OperationDefinitionNode): NamedInspect[] => {
    const known = inspectors.get(operation);
    if (known) return known;
    const made = (operation.variableDefinitions ?? []).flatMap(({ variable, type }) => {
      const declared = typeFromAST(schema, type as NamedTypeNode); // of any kind of type node; only the overloads differ
      const inspect = declared && isInputType(declared) ? inspectorOf(declared) : undefined;
      return inspect ? [{ name: variable.name.value, inspect }] : [];
    });
    inspectors.set(operation, made);
    return made;
  };

  return (operation, variables) => {
    if (!variables) return undefined;
    const names = Object.keys(variables);
    if (names.length > limits.variables) return pastLimit('variables', `A request may have at most ${limits.variables} variables; this has ${names.length}.`);
    if (isDeeper(variables, limits.inputDepth + 1)) return pastLimit('inputDepth', `The variables are nested more than ${limits.inputDepth} levels deep.`);
    try {
      for (const { name, inspect } of inspectorsOf(operation)) inspect(variables[name], name);
      return undefined;
    } catch (error) {
      if (error instanceof TooLong) return pastLimit('listItems', `A list may have at most ${limits.listItems} items; "${error.path}" has ${error.length}.`);
      throw error;
    }
  };
}

class TooLong extends Error {
  readonly path: string;
  readonly length: number;

  constructor(path: string, length: number) {
    super();
    this.path = path;
    this.length = length;
  }
}

function createInspectors(maxItems: number): (type: GraphQLInputType) => Inspect {
  const ofType = (type: GraphQLInputType, within: readonly GraphQLInputType[]): Inspect => {
    if (isNonNullType(type)) return ofType(type.ofType, within);
    if (isListType(type)) {
      const inspectItem = ofType(type.ofType, within);
      return (value, path) => inspectList(value, { path, maxItems, inspectItem });
    }
    if (!isInputObjectType(type) || within.includes(type)) return undefined; // looked at where it is met first
    const fields = Object.values(type.getFields()).flatMap((field) => {
      const inspect = ofType(field.type, [...within, type]);
      return inspect ? [{ name: field.name, inspect }] : [];
    });
    if (fields.length === 0) return undefined;
    return (value, path) => {
      if (typeof value !== 'object' || value === null) return;
      for (const { name, inspect } of fields) inspect((value as Variables)[name], `${path}.${name}`);
    };
  };
  return (type) => ofType(type, []);
}

function inspectList(value: unknown, rule: { path: string; maxItems: number; inspectItem: Inspect }): void {
  const { path, maxItems, inspectItem } = rule;
  if (!Array.isArray(value)) return inspectItem?.(value, path);
  if (value.length > maxItems) throw new TooLong(path, value.length);
  if (inspectItem) for (const [index, item] of value.entries()) inspectItem(item, `${path}.${index}`);
}

/** Goes no deeper than the limit itself. */
function isDeeper(value: object, levels: number): boolean {
  if (levels === 0) return true;
  for (const item of Array.isArray(value) ? value : Object.values(value)) {
    if (typeof item === 'object' && item !== null && isDeeper(item, levels - 1)) return true;
  }
  return false;
}
