import { orderedData, type ResponseData } from './response-data.ts';

/** What happened to a revision and says no more than the revision does. */
export type RevisionEventType = 'response.created' | 'response.flagged' | 'response.cleared';

/** The body of such an event, as UTF-8 JSON; see `orderedData` for its bytes. */
export const renderRevisionEvent = (type: RevisionEventType, data: ResponseData): Buffer =>
  Buffer.from(JSON.stringify({ type, timestamp: data.response.submittedAt, data: orderedData(data) }));
