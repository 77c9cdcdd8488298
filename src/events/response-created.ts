import { orderedData, type ResponseData } from './response-data.ts';

/** The body of a `response.created`, as UTF-8 JSON; see `orderedData` for its bytes. */
export const renderResponseCreated = (data: ResponseData): Buffer =>
  Buffer.from(JSON.stringify({ type: 'response.created', timestamp: data.response.submittedAt, data: orderedData(data) }));
