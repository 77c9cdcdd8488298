import { GraphQLError } from 'graphql';
import type { Log } from '../log.ts';
import { isDatabaseTrouble } from '../database-trouble.ts';
import { requestId } from '../request-scope.ts';
import { UnavailableError, UserError } from '../user-error.ts';
import { requestError } from './request-error.ts';

/**
 * What a client gets to see of an error that left a resolver. Faults of the input (in a query; mutations answer them in
 * their payload) and unavailability keep their code; whatever else happened is logged and told as INTERNAL.
 */
export function createErrorMask({ log }: { log: Log }): (error: GraphQLError) => GraphQLError {
  return (error) => {
    const original = originalOf(error);
    if (original === undefined) return error;
    if (original instanceof UserError) return revised(error, original.message, userExtensions(original));
    const unavailable = asUnavailable(original);
    if (unavailable) {
      log.warn({ requestId: requestId(), code: unavailable.code, path: error.path, err: unavailable.cause }, 'request.unavailable');
      const { code, message, retryAfterMs } = unavailable;
      return revised(error, message, { code, retryAfterMs });
    }
    log.error({ requestId: requestId(), err: original, path: error.path }, 'request.failed');
    const { message, extensions } = internalError();
    return revised(error, message, extensions);
  };
}

/** All that a client learns of a bug. */
export const internalError = (): GraphQLError => requestError('INTERNAL', 'Something went wrong on our side. It has been logged.');

/** What was thrown, under what GraphQL wrapped around it; undefined where it was a GraphQL error itself. */
function originalOf(error: GraphQLError): Error | undefined {
  let original: Error | undefined = error.originalError;
  while (original instanceof GraphQLError) original = original.originalError;
  return original;
}

function asUnavailable(error: Error): UnavailableError | undefined {
  if (error instanceof UnavailableError) return error;
  if (!isDatabaseTrouble(error) && !isDatabaseTrouble(error.cause)) return undefined;
  return new UnavailableError('DATABASE_UNAVAILABLE', 'The database is not available now; try again.', 5_000, { cause: error });
}

function userExtensions({ faults }: UserError): Record<string, unknown> {
  return { code: faults[0]?.code, faults: faults.map(({ code, message, path }) => ({ code, message, path: path.map(String) })) };
}

function revised(error: GraphQLError, message: string, extensions: GraphQLError['extensions']): GraphQLError {
  const { nodes, source, positions, path } = error;
  return new GraphQLError(message, { nodes, source, positions, path, extensions });
}
