import type { Id } from './id.ts';
import { orderedData, type ResponseData } from './response-data.ts';

/** `data` of `response.amended`: the new revision, and which one it takes the place of. */
export interface ResponseAmendedData extends ResponseData {
  previous: { id: Id<'resp'>; revision: number };
}

/** The body of a `response.amended`, as UTF-8 JSON; see `orderedData` for its bytes. */
export function renderResponseAmended(data: ResponseAmendedData): Buffer {
  const previous = { id: data.previous.id, revision: data.previous.revision };
  return Buffer.from(JSON.stringify({ type: 'response.amended', timestamp: data.response.submittedAt, data: { ...orderedData(data), previous } }));
}
