import type { IncomingMessage, ServerResponse } from 'node:http';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { execute, GraphQLError, parse, type ExecutionArgs, type GraphQLSchema } from 'graphql';
import { createYoga, type Plugin } from 'graphql-yoga';
import type { Context } from '../graphql/context.ts';
import { onBehalfOf } from '../graphql/on-behalf-of.ts';
import type { Log } from '../log.ts';
import { withinSize } from './answer-size.ts';
import { crossOrigin } from './http-answer.ts';
import type { ApiLimits } from './limits.ts';
import { executionArgs, unfitVariables, withCost } from './operation.ts';
import { outOfTime, withinTime } from './operation-time.ts';
import type { Prepared } from './prepare.ts';

/** Serves queries and mutations to those who want their results as a stream: over SSE, or as multipart. */
export interface StreamEndpoint {
  serve(call: StreamCall): Promise<void>;
}

export interface StreamCall {
  request: IncomingMessage;
  response: ServerResponse;
  prepared: Prepared;
  createContext: () => Context;
}

export interface StreamEndpointDeps {
  schema: GraphQLSchema;
  maskError: (error: GraphQLError) => GraphQLError;
  limits: Pick<ApiLimits, 'operationMs' | 'answerBytes'>;
  log: Log;
}

/** What Yoga carries from the request to its plugins. */
interface Carried {
  prepared: Prepared;
  createContext: () => Context;
  whenGone: (listener: () => void) => void;
}

/** Node's own `pipeline` alone adds five of the kind that it warns of from the eleventh on. */
const maxListeners = 20;

/** What node:http says itself, or Yoga says wrongly (`content-encoding: none`). */
const ownHeaders = new Set(['connection', 'content-encoding', 'transfer-encoding']);

/**
 * Yoga, with everything switched off that has happened before it: the body is read and limited, the viewer known, the
 * query parsed, validated and held to the limits as that of any request.
 */
export function createStreamEndpoint({ schema, maskError, limits, log }: StreamEndpointDeps): StreamEndpoint {
  const yoga = createYoga<Carried, { own: Context }>({
    schema,
    context: ({ createContext }) => ({ own: createContext() }),
    plugins: [usePrepared, useOwnExecution({ schema, limits })],
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
    async serve({ request, response, prepared, createContext }) {
      response.setMaxListeners(maxListeners);
      const gone = new AbortController();
      response.once('close', () => gone.abort());
      const answer = await yoga.fetch(
        new URL(request.url ?? '/graphql', 'http://localhost').href,
        {
          method: 'POST',
          headers: { accept: request.headers.accept ?? '', 'content-type': 'application/json' },
          body: JSON.stringify('ready' in prepared ? prepared.ready.params : { query: '{ __typename }' }),
          signal: gone.signal,
        },
        { prepared, createContext, whenGone: (listener) => void response.once('close', listener) },
      );
      for (const [name, value] of answer.headers) if (!ownHeaders.has(name.toLowerCase())) response.setHeader(name, value);
      response.writeHead(answer.status, crossOrigin);
      if (!answer.body) return void response.end();
      // A client that goes away, or shutdown, ends the stream early: that is no failure.
      await pipeline(Readable.from(answer.body), response).catch((error: unknown) => {
        if (!gone.signal.aborted) throw error;
      });
    },
  };
}

type Within = Carried & { own: Context };

/** Yoga copies what it is given into a context of its own, which loses what is not a member: resolvers get the original. */
const useOwnExecution = ({ schema, limits: { operationMs, answerBytes } }: Pick<StreamEndpointDeps, 'schema' | 'limits'>): Plugin<Within> => ({
  onExecute: ({ args, setExecuteFn }) => {
    const { prepared, whenGone, own: contextValue } = within(args);
    if (!('ready' in prepared)) return;
    const { ready } = prepared;
    const isMutation = ready.operation.operation === 'mutation';
    setExecuteFn(async () => {
      const run = (abortSignal: AbortSignal) => onBehalfOf(contextValue, () => execute({ ...executionArgs(ready), schema, contextValue, abortSignal }));
      const ended = await withinTime(run, { operationMs, whenGone: isMutation ? undefined : whenGone });
      if ('over' in ended) return outOfTime({ isMutation, operationMs }).result;
      return unfitVariables(ended.done) ?? withCost(withinSize(ended.done, { most: answerBytes, isMutation }), ready);
    });
  },
});

const within = ({ contextValue }: ExecutionArgs): Within => contextValue as Within;

const nothing = parse('{ __typename }');

/** Gives Yoga the query as it was prepared, or what is wrong with it. */
const usePrepared: Plugin<Within> = {
  onParse: ({ context, setParseFn }) => {
    const { prepared } = context as Within;
    setParseFn(() => ('ready' in prepared ? prepared.ready.document : nothing));
  },
  onValidate: ({ context, setResult }) => {
    const { prepared } = context as Within;
    setResult('ready' in prepared ? [] : prepared.refused.map(copyOf));
  },
};

/** Yoga writes into the errors it is given, and those of a query are kept for all who send the same. */
function copyOf({ message, nodes, source, positions, path, extensions }: GraphQLError): GraphQLError {
  return new GraphQLError(message, { nodes, source, positions, path, extensions: { ...extensions } });
}

const asGraphqlError = (error: unknown): GraphQLError =>
  new GraphQLError('Unexpected error.', { originalError: error instanceof Error ? error : new Error(String(error)) });
