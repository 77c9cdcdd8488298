import { execute, getOperationAST, type ExecutionResult, type GraphQLError, type GraphQLSchema } from 'graphql';
import type { Context } from '../graphql/context.ts';
import { onBehalfOf } from '../graphql/on-behalf-of.ts';
import { withCode, type Documents } from './documents.ts';
import { requestError } from './errors.ts';
import { whyUnaffordable } from './query-cost.ts';
import type { RequestParams } from './request-params.ts';

/** What one operation came to. `status` where it differs from what the result alone would say. */
export interface OperationResult {
  result: ExecutionResult;
  status?: number;
  /** For the header `Retry-After`. */
  retryAfterMs?: number;
}

export interface OperationRunner {
  /** Runs one query or mutation. `isSafe`: the request must not change anything (GET). */
  run(params: RequestParams, call: { isSafe: boolean; createContext: () => Context }): Promise<OperationResult>;
}

/** The way of nearly every request: straight through graphql-js, without objects of the fetch API in between. */
export function createOperationRunner(deps: {
  schema: GraphQLSchema;
  documents: Documents;
  maskError: (error: GraphQLError) => GraphQLError;
}): OperationRunner {
  const { schema, documents, maskError } = deps;
  return {
    async run({ query, variables, operationName }, { isSafe, createContext }) {
      const checked = documents.check(query);
      if ('errors' in checked) return { result: { errors: checked.errors } };
      const { document } = checked;
      const operation = getOperationAST(document, operationName);
      if (!operation) return refused('OPERATION_RESOLUTION_FAILURE', '"operationName" must name one of the operations of "query".', 400);
      if (operation.operation === 'subscription') return refused('BAD_REQUEST', 'A subscription needs "accept: text/event-stream".', 406);
      if (operation.operation === 'mutation' && isSafe) return refused('BAD_REQUEST', 'A mutation must be sent with POST.', 405);

      const unaffordable = whyUnaffordable({ schema, document, operation, variables });
      if (unaffordable) return { result: { errors: [unaffordable] } };
      const contextValue = createContext();
      const result = await onBehalfOf(contextValue, () => execute({ schema, document, operationName, variableValues: variables, contextValue }));
      return result.errors ? withErrors(result, maskError) : { result };
    },
  };
}

function withErrors(result: ExecutionResult, maskError: (error: GraphQLError) => GraphQLError): OperationResult {
  // Without data it was never executed: the variables do not fit.
  if (result.data === undefined) return { result: { errors: (result.errors ?? []).map((error) => withCode(error, 'BAD_USER_INPUT')) } };
  const errors = (result.errors ?? []).map(maskError);
  const waits = errors.map((error) => error.extensions['retryAfterMs']).filter((wait) => typeof wait === 'number');
  const masked = { ...result, errors };
  return waits.length > 0 ? { result: masked, status: 503, retryAfterMs: Math.max(...waits) } : { result: masked };
}

const refused = (code: string, message: string, status: number): OperationResult => ({
  result: { errors: [requestError(code, message)] },
  status,
});
