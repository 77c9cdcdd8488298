import { GraphQLError, parse, validate, type DocumentNode, type GraphQLSchema } from 'graphql';
import { createBoundedCache } from '../bounded-cache.ts';
import { requireWithinLimits, type DocumentLimits, type Measured } from './document-limits.ts';
import { pastLimit } from './request-error.ts';

/** A query that was parsed and validated: one of both. */
export type CheckedDocument = ({ document: DocumentNode } & Measured) | { errors: readonly GraphQLError[] };

export interface Documents {
  /**
   * Parses, limits and validates a query; one that was seen before costs a look-up. `hideSuggestions`: its errors do not
   * say which names are similar to a wrong one. Nothing else in the outcome depends on who asks: it is kept for all.
   */
  check(source: string, options: { hideSuggestions: boolean }): CheckedDocument;
}

/** By the length of their sources, for those who see suggestions and those who do not; a parsed document takes some fifty times as much. */
const maxCachedChars = 1_000_000;
/** Longer ones carry their values inline and hardly come again. */
const maxCachedLength = 50_000;

interface Rules {
  schema: GraphQLSchema;
  limits: DocumentLimits;
  hideSuggestions: boolean;
}

export function createDocuments({ schema, limits }: Omit<Rules, 'hideSuggestions'>): Documents {
  const open = createBoundedCache<string, CheckedDocument>({ maxWeight: maxCachedChars });
  const hidden = createBoundedCache<string, CheckedDocument>({ maxWeight: maxCachedChars });

  return {
    check(source, { hideSuggestions }) {
      const seen = hideSuggestions ? hidden : open;
      const known = seen.get(source);
      if (known) return known;
      const checked = checkDocument(source, { schema, limits, hideSuggestions });
      if (source.length <= maxCachedLength) seen.set(source, checked, source.length);
      return checked;
    },
  };
}

function checkDocument(source: string, { schema, limits, hideSuggestions }: Rules): CheckedDocument {
  try {
    const document = parse(source, { maxTokens: limits.tokens });
    const measured = requireWithinLimits(document, limits);
    const errors = validate(schema, document, undefined, { maxErrors: 20, hideSuggestions });
    return errors.length > 0 ? { errors: errors.map((error) => withCode(error, 'GRAPHQL_VALIDATION_FAILED')) } : { document, ...measured };
  } catch (error) {
    if (error instanceof GraphQLError) return { errors: [parseError(error, limits)] };
    if (error instanceof RangeError) return { errors: [pastLimit('depth', 'The query is nested too deeply.')] }; // the parser's stack
    throw error;
  }
}

/** graphql-js tells only in words that it stopped at `maxTokens`. */
function parseError(error: GraphQLError, { tokens }: DocumentLimits): GraphQLError {
  if (/contains more than \d+ tokens/.test(error.message)) return pastLimit('tokens', `The query has more than ${tokens} tokens.`);
  return withCode(error, 'GRAPHQL_PARSE_FAILED');
}

/** The same error with a code in its extensions, unless it has one. */
export function withCode(error: GraphQLError, code: string): GraphQLError {
  if (error.extensions['code'] !== undefined) return error;
  const { message, nodes, source, positions, path, originalError } = error;
  return new GraphQLError(message, { nodes, source, positions, path, originalError, extensions: { ...error.extensions, code } });
}
