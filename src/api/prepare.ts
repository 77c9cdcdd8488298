import { getOperationAST, Kind, type DocumentNode, type GraphQLError, type GraphQLSchema, type OperationDefinitionNode, type SelectionNode, type SelectionSetNode } from 'graphql';
import type { Config } from '../config.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Documents } from './documents.ts';
import { variablesLength } from './held-texts.ts';
import { createInputLimits } from './input-limits.ts';
import { limits as documented, type ApiLimits } from './limits.ts';
import { createCosts } from './query-cost.ts';
import { pastLimit, requestError } from './request-error.ts';
import type { RequestParams } from './request-params.ts';

/** An operation that may run, or what to answer instead. */
export type Prepared = { ready: ReadyOperation } | { refused: readonly GraphQLError[]; status?: number };

export interface ReadyOperation {
  document: DocumentNode;
  operation: OperationDefinitionNode;
  params: RequestParams;
  cost: Cost;
  /** As how many calls it counts: each mutation is one. */
  calls: number;
  /** Of errors yet to come: a stranger is not told which names are similar to a wrong one. */
  hideSuggestions: boolean;
}

/** Told in `extensions.cost` of every answer: the fields it could have come to, and how many are possible. */
export interface Cost {
  requested: number;
  limit: number;
}

/** Who may ask for the schema, and is told names that are similar to a wrong one. */
export type Introspection = Config['FORMWIRE_INTROSPECTION'];

/** Everything that is looked at before an operation runs, in the same way for all answers. */
export type Prepare = (params: RequestParams, viewer: Viewer | undefined) => Prepared;

export function createPrepare(deps: { schema: GraphQLSchema; documents: Documents; limits: ApiLimits; introspection: Introspection }): Prepare {
  const { schema, documents, limits, introspection } = deps;
  const inputFault = createInputLimits(schema, limits);
  const costOf = createCosts(schema);

  return (params, viewer) => {
    const mayIntrospect = introspection === 'everyone' || (introspection === 'signed-in' && viewer !== undefined);
    const checked = documents.check(params.query, { hideSuggestions: !mayIntrospect });
    if ('errors' in checked) return { refused: checked.errors };
    // not a rule of validation, whose outcome is kept for all
    if (checked.introspects && !mayIntrospect) return { refused: [noIntrospection(introspection)] };
    const { document } = checked;
    const operation = getOperationAST(document, params.operationName);
    if (!operation) return { refused: [requestError('OPERATION_RESOLUTION_FAILURE', '"operationName" must name one of the operations of "query".')], status: 400 };
    const fault = inputFault(operation, params.variables);
    if (fault) return { refused: [fault] };
    if (operation.operation === 'subscription' && lengthOf(params) > limits.subscriptionChars) return { refused: [tooLong(limits)] };
    const cost = { requested: costOf({ document, operation, variables: params.variables }), limit: operation.operation === 'subscription' ? limits.subscriptionCost : limits.cost };
    if (cost.requested > cost.limit) return { refused: [tooCostly(cost)] };
    return { ready: { document, operation, params, cost, calls: callsOf(document, operation), hideSuggestions: !mayIntrospect } };
  };
}

/** The fields of a mutation itself, those of fragments too; a query is one call, and its cost bounds the rest. */
function callsOf(document: DocumentNode, { operation, selectionSet }: OperationDefinitionNode): number {
  if (operation !== 'mutation') return 1;
  const count = ({ selections }: SelectionSetNode): number => selections.reduce((sum, node) => sum + ofSelection(node), 0);
  const ofSelection = (node: SelectionNode): number => {
    if (node.kind === Kind.FIELD) return 1;
    if (node.kind === Kind.INLINE_FRAGMENT) return count(node.selectionSet);
    const fragment = document.definitions.find((definition) => definition.kind === Kind.FRAGMENT_DEFINITION && definition.name.value === node.name.value);
    return fragment?.kind === Kind.FRAGMENT_DEFINITION ? count(fragment.selectionSet) : 0;
  };
  return Math.max(1, count(selectionSet));
}

const lengthOf = (params: RequestParams): number => params.query.length + variablesLength(params);

const tooLong = ({ subscriptionChars }: ApiLimits): GraphQLError => pastLimit('subscriptionChars', `A subscription and its variables have at most ${subscriptionChars} characters together.`);

const noIntrospection = (introspection: Introspection): GraphQLError =>
  requestError('INTROSPECTION_DISABLED', introspection === 'nobody' ? 'The schema cannot be asked for here.' : 'Log in to ask for the schema.');

function tooCostly(cost: Cost): GraphQLError {
  const { message } = pastLimit('cost', `The answer could come to ${cost.requested} fields, and ${cost.limit} is the most; ask for smaller pages, or for fewer lists in each other.`);
  const error = requestError(documented.cost.code, message);
  error.extensions['cost'] = cost;
  return error;
}
