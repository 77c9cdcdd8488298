import type { ResponseData } from './response-data.ts';
import { renderRevisionEvent } from './revision-event.ts';

/** The body of a `response.created`, as UTF-8 JSON; see `orderedData` for its bytes. */
export const renderResponseCreated = (data: ResponseData): Buffer => renderRevisionEvent('response.created', data);
