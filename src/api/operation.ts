import { execute, type ExecutionResult, type GraphQLError, type GraphQLSchema } from 'graphql';
import type { Context } from '../graphql/context.ts';
import { onBehalfOf } from '../graphql/on-behalf-of.ts';
import { withCode } from './documents.ts';
import { outOfTime, withinTime } from './operation-time.ts';
import type { Prepared, ReadyOperation } from './prepare.ts';
import { requestError } from './request-error.ts';

/** What one operation came to. `status` where it differs from what the result alone would say. */
export interface OperationResult {
  result: ExecutionResult;
  status?: number;
  /** For the header `Retry-After`. */
  retryAfterMs?: number;
}

export interface OperationCall {
  createContext: () => Context;
  /** Calls back when nobody waits for the answer any more. */
  whenGone: (listener: () => void) => void;
}

export interface OperationRunner {
  /** Runs one query or mutation. */
  run(prepared: Prepared, call: OperationCall): Promise<OperationResult>;
}

/** The way of nearly every request: straight through graphql-js, without objects of the fetch API in between. */
export function createOperationRunner(deps: {
  schema: GraphQLSchema;
  maskError: (error: GraphQLError) => GraphQLError;
  operationMs: number;
}): OperationRunner {
  const { schema, maskError, operationMs } = deps;
  return {
    async run(prepared, { createContext, whenGone }) {
      if ('refused' in prepared) return refusal(prepared);
      const { ready } = prepared;
      const { operation: kind } = ready.operation;
      if (kind === 'subscription') return { result: { errors: [requestError('BAD_REQUEST', 'A subscription needs "accept: text/event-stream".')] }, status: 406 };
      const isMutation = kind === 'mutation';
      const contextValue = createContext();
      const ended = await withinTime((abortSignal) => onBehalfOf(contextValue, () => execute({ ...executionArgs(ready), schema, contextValue, abortSignal })), {
        operationMs,
        whenGone: isMutation ? undefined : whenGone, // what was sent is done, whether or not its sender still waits
      });
      if ('over' in ended) return outOfTime({ isMutation, operationMs });
      return withErrors(withCost(ended.done, ready), maskError);
    },
  };
}

const refusal = ({ refused: errors, status }: Extract<Prepared, { refused: unknown }>): OperationResult => ({ result: { errors }, ...(status && { status }) });

/** What graphql-js is given of an operation, whoever calls it. */
export const executionArgs = ({ document, params: { operationName, variables }, hideSuggestions }: ReadyOperation) => ({
  document,
  operationName,
  variableValues: variables,
  hideSuggestions,
});

/** With what the operation could have cost. */
export function withCost(result: ExecutionResult, { cost }: ReadyOperation): ExecutionResult {
  result.extensions = { ...result.extensions, cost };
  return result;
}

function withErrors(result: ExecutionResult, maskError: (error: GraphQLError) => GraphQLError): OperationResult {
  if (!result.errors) return { result };
  // Without data it was never executed: the variables do not fit.
  if (result.data === undefined) return { result: { errors: result.errors.map((error) => withCode(error, 'BAD_USER_INPUT')) } };
  const errors = result.errors.map(maskError);
  const waits = errors.map((error) => error.extensions['retryAfterMs']).filter((wait) => typeof wait === 'number');
  const masked = { ...result, errors };
  if (waits.length === 0) return { result: masked };
  const isLimited = errors.some((error) => error.extensions['code'] === 'RATE_LIMITED');
  return { result: masked, status: isLimited ? 429 : 503, retryAfterMs: Math.max(...waits) };
}
