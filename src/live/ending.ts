import { GraphQLError } from 'graphql';

/** Why a subscription ends before its subscriber ends it; told as an error with the cursor to go on from. */
export type EndingCode = 'UNAUTHENTICATED' | 'PERMISSIONS_CHANGED' | 'TOO_SLOW' | 'SHUTTING_DOWN';

const messages: Record<EndingCode, string> = {
  UNAUTHENTICATED: 'The token or API key is not valid any more: log in again, and go on from the cursor.',
  PERMISSIONS_CHANGED: 'What you may do has changed: subscribe again from the cursor.',
  TOO_SLOW: 'You have not read what you were sent: subscribe again from the cursor.',
  SHUTTING_DOWN: 'This process stops: subscribe again from the cursor.',
};

/** How long subscribers wait before they come back from a process that stops, in milliseconds: spread, so that they do not come to the next one all at once. */
const comeBackMs = { least: 100, most: 1_000 };

/** A subscription's last error, with the cursor of what its subscriber was told last. */
export function endingOf(code: EndingCode, cursor: string): GraphQLError {
  return withCursor(code === 'SHUTTING_DOWN' ? stopping() : new GraphQLError(messages[code], { extensions: { code } }), cursor);
}

/** That this process stops, and when to come back to another. */
export function stopping(): GraphQLError {
  const retryAfterMs = Math.round(comeBackMs.least + Math.random() * (comeBackMs.most - comeBackMs.least));
  return new GraphQLError(messages.SHUTTING_DOWN, { extensions: { code: 'SHUTTING_DOWN', retryAfterMs } });
}

/** The same error with where to go on from. */
export function withCursor(error: GraphQLError, cursor: string): GraphQLError {
  error.extensions['cursor'] = cursor;
  return error;
}
