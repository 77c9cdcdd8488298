import { GraphQLError, parse, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import { createBoundedCache } from '../graphql/bounded-cache.ts';
import { queryTooLarge, requireWithinLimits, type DocumentLimits } from './document-limits.ts';

/** A query that was parsed and validated: one of both. */
export type CheckedDocument = { document: DocumentNode } | { errors: readonly GraphQLError[] };

export interface Documents {
  /** Parses, limits and validates a query; one that was seen before costs a look-up. */
  check(source: string): CheckedDocument;
}

/** By the length of their sources; a parsed document takes some fifty times as much. */
const maxCachedChars = 2_000_000;
/** Longer ones carry their values inline and hardly come again. */
const maxCachedLength = 50_000;

export function createDocuments({ schema, limits }: { schema: GraphQLSchema; limits: DocumentLimits }): Documents {
  const seen = createBoundedCache<string, CheckedDocument>({ maxWeight: maxCachedChars });

  return {
    check(source) {
      const known = seen.get(source);
      if (known) return known;
      const checked = checkDocument(source, { schema, limits });
      if (source.length <= maxCachedLength) seen.set(source, checked, source.length);
      return checked;
    },
  };
}

function checkDocument(source: string, { schema, limits }: { schema: GraphQLSchema; limits: DocumentLimits }): CheckedDocument {
  try {
    const document = parse(source, { maxTokens: limits.tokens });
    requireWithinLimits(document, limits);
    const errors = validate(schema, document, undefined, { maxErrors: 20 });
    return errors.length > 0 ? { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) } : { document };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [withCode(error, 'GRAPHQL_PARSE_FAILED')] };
    if (error instanceof RangeError) return { errors: [queryTooLarge('The query is nested too deeply.')] }; // the parser's stack
    throw error;
  }
}

/** The same error with a code in its extensions, unless it has one. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  if (error.extensions['code'] !== undefined) return error;
  const { message, nodes, source, positions, path, originalError } = error;
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions: { ...error.extensions, code } });
}
