import { GraphQLError } from 'graphql';
import { encodeCursor, positionKey } from '../graphql/cursor.ts';

/** Why a subscription ends before its subscriber ends it; told as an error with the cursor to go on from. */
export type EndingCode = 'UNAUTHENTICATED' | 'PERMISSIONS_CHANGED' | 'TOO_SLOW' | 'SHUTTING_DOWN';

const messages: Record<EndingCode, string> = {
  UNAUTHENTICATED: 'The token or API key is not valid any more: log in again, and go on from the cursor.',
  PERMISSIONS_CHANGED: 'What you may do has changed: subscribe again from the cursor.',
  TOO_SLOW: 'You have not read what you were sent: subscribe again from the cursor.',
  SHUTTING_DOWN: 'This process stops: subscribe again from the cursor.',
};

/** A subscription's last error. `position`: the last one that its subscriber was told. */
export const endingOf = (code: EndingCode, position: number): GraphQLError => withPlace(new GraphQLError(messages[code], { extensions: { code } }), position);

/** The same error with where to go on from. */
export function withPlace(error: GraphQLError, position: number): GraphQLError {
  error.extensions['cursor'] = encodeCursor(positionKey(position));
  return error;
}
