import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { getOperationAST, GraphQLError, type ExecutionArgs, type GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/context.ts';
import { onBehalfOf } from '../graphql/on-behalf-of.ts';
import type { Log } from '../log.ts';
import type { Documents } from './documents.ts';
import { whyUnaffordable } from './query-cost.ts';
import type { RequestParams } from './request-params.ts';

/** Serves operations whose results come one after the other: over SSE, or as multipart. */
export interface StreamEndpoint {
  serve(call: StreamCall): Promise<void>;
}

export interface StreamCall {
  request: IncomingMessage;
  response: ServerResponse;
  params: RequestParams;
  createContext: () => Context;
}

export interface StreamEndpointDeps {
  schema: GraphQLSchema;
  documents: Documents;
  maskError: (error: GraphQLError) => GraphQLError;
  log: Log;
}

/** What node:http says itself, or Yoga says wrongly (`content-encoding: none`). */
const ownHeaders = new Set(['connection', 'content-encoding', 'transfer-encoding']);

/**
 * Yoga, with everything switched off that has happened before it: the body is read and limited, the viewer known, the
 * query parsed and validated by the rules and the cache that all requests share.
 */
export function createStreamEndpoint({ schema, documents, maskError, log }: StreamEndpointDeps): StreamEndpoint {
  const yoga = createYoga<{ createContext: () => Context }, { own: Context }>({
    schema,
    context: ({ createContext }) => ({ own: createContext() }),
    plugins: [useDocuments(documents), useOwnContext],
    maskedErrors: { maskError: (error) => (error instanceof GraphQLError ? maskError(error) : maskError(asGraphqlError(error))) },
    logging: { debug: () => {}, info: () => {}, warn: () => {}, error: (error: unknown) => log.debug({ err: error }, 'stream.error') },
    parserAndValidationCache: false,
    maxRequestBodySize: false,
    multipart: false,
    batching: false,
    cors: false,
    graphiql: false,
    landingPage: false,
  });

  return {
    async serve({ request, response, params, createContext }) {
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const answer = await yoga.fetch(
        new URL(request.url ?? '/graphql', 'http://localhost').href,
        {
          method: request.method ?? 'POST',
          headers: { accept: request.headers.accept ?? '', 'content-type': 'application/json' },
          ...(request.method === 'POST' && { body: JSON.stringify(params) }),
          signal: gone.signal,
        },
        { createContext },
      );
      for (const [name, value] of answer.headers) if (!ownHeaders.has(name.toLowerCase())) response.setHeader(name, value);
      response.writeHead(answer.status, { 'access-control-allow-origin': '*' });
      if (!answer.body) return void response.end();
      // A client that goes away, or shutdown, ends the stream early: that is no failure.
      await pipeline(Readable.from(answer.body), response).catch((error: unknown) => {
        if (!gone.signal.aborted) throw error;
      });
    },
  };
}

/** Yoga copies what it is given into a context of its own, which loses what is not a member: resolvers get the original. */
const useOwnContext: Plugin<{ own: Context }> = {
  onExecute: ({ args, executeFn, setExecuteFn, setResultAndStopExecution }) => {
    const { schema, document, operationName, variableValues: variables } = args;
    const operation = getOperationAST(document, operationName);
    const unaffordable = operation && whyUnaffordable({ schema, document, operation, variables });
    if (unaffordable) return setResultAndStopExecution({ errors: [unaffordable] });
    setExecuteFn((given) => asOwn(given, executeFn));
  },
  onSubscribe: ({ subscribeFn, setSubscribeFn }) => {
    setSubscribeFn((given) => asOwn(given, subscribeFn));
  },
};

function asOwn<T>(given: ExecutionArgs, run: (args: ExecutionArgs) => T): T {
  const { own } = given.contextValue as { own: Context };
  return onBehalfOf(own, () => run({ ...given, contextValue: own }));
}

/** Lets Yoga take parsed and validated queries from where all requests get them. */
function useDocuments(documents: Documents): Plugin {
  return {
    onParse: ({ setParseFn }) => {
      setParseFn((source: string | { body: string }) => {
        const checked = documents.check(typeof source === 'string' ? source : source.body);
        if ('document' in checked) return checked.document;
        throw checked.errors[0] ?? new GraphQLError('The query is not valid.');
      });
    },
    onValidate: ({ setResult }) => setResult([]),
  };
}

const asGraphqlError = (error: unknown): GraphQLError =>
  new GraphQLError('Unexpected error.', { originalError: error instanceof Error ? error : new Error(String(error)) });
