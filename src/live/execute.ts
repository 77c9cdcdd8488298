import { executeSubscriptionEvent, type ExecutionResult, type GraphQLError, type ValidatedSubscriptionArgs } from 'graphql';
import { withinSize } from '../api/answer-size.ts';
import type { ApiLimits } from '../api/limits.ts';
import { withinTime } from '../api/operation-time.ts';
import { isDatabaseTrouble } from '../database-trouble.ts';
import type { Context } from '../graphql/context.ts';
import { encodeCursor, positionKey } from '../graphql/cursor.ts';
import type { LiveItem, LiveTopic } from '../graphql/live-topic.ts';
import { onBehalfOf } from '../graphql/on-behalf-of.ts';
import { UnavailableError } from '../user-error.ts';
import type { Frame } from './batch.ts';

export interface ExecuteDeps {
  maskError: (error: GraphQLError) => GraphQLError;
  limits: Pick<ApiLimits, 'operationMs' | 'answerBytes'>;
}

/** Nothing is wrong with what was asked for: it is to be tried again, and nobody is told anything until it went well. */
export class PassingTrouble extends Error {
  override name = 'PassingTrouble';
}

export interface Telling {
  topic: LiveTopic;
  args: ValidatedSubscriptionArgs;
  createContext: () => Context;
}

/**
 * Executes a subscription's operation for each item that is to be told. All of a stretch share one context, so that what
 * they load is loaded together. Throws PassingTrouble, and whatever `authorize` and `select` of the topic throw.
 */
export async function executeItems(deps: ExecuteDeps, { topic, args, createContext }: Telling, items: readonly LiveItem[]): Promise<Frame[]> {
  const { maskError, limits } = deps;
  if (items.length === 0) return [];
  const contextValue = createContext();
  const run = (externalAbortSignal: AbortSignal): Promise<[LiveItem, ExecutionResult][]> =>
    onBehalfOf(contextValue, async () => {
      await topic.authorize(contextValue);
      const told = await topic.select(items, contextValue);
      return Promise.all(told.map(async (rootValue) => [rootValue, await executeSubscriptionEvent({ ...args, contextValue, rootValue, externalAbortSignal })] as [LiveItem, ExecutionResult]));
    });
  const ended = await withinTime(run, { operationMs: limits.operationMs });
  if ('over' in ended) throw new PassingTrouble('A stretch of events could not be executed in time.');
  return ended.done.map(([{ position }, result]) => {
    refusePassing(result);
    const sized = withinSize(result, { most: limits.answerBytes, isMutation: false });
    const masked = sized.errors ? { ...sized, errors: sized.errors.map(maskError) } : sized;
    return { position, cursor: encodeCursor(positionKey(position, topic.order)), json: JSON.stringify(masked) };
  });
}

/** A result that is half there because the database was not: told like this, its event would never be told in full. */
function refusePassing({ errors = [] }: ExecutionResult): void {
  const passing = errors.find(({ originalError }) => isPassing(originalError));
  if (passing) throw new PassingTrouble('The database was not available.', { cause: passing });
}

/** Whether the same may go well later. */
export const isPassing = (error: unknown): boolean => error instanceof PassingTrouble || error instanceof UnavailableError || isDatabaseTrouble(error);
