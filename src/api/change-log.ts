import type { ChangeMade } from '../graphql/context.ts';
import type { Log } from '../log.ts';
import { requestId } from '../request-scope.ts';

/** Writes down who had what done: for whoever finds an integration paused at three in the morning, and asks since when. */
export const changeLogger = (log: Log) => ({ mutation, viewer: { userId, organizationId, credential }, ids }: ChangeMade): void =>
  log.info({ requestId: requestId(), mutation, ids, userId, by: credential.kind, credentialId: credential.id, organizationId }, 'change.made');
