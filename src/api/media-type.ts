export type AnswerType = 'application/json' | 'application/graphql-response+json';

/**
 * The type to answer in: the first that the client lists and that we speak; JSON where it does not care; undefined
 * where it takes neither. Source: GraphQL over HTTP, "Media Types".
 */
export function answerType(accept: string | undefined): AnswerType | undefined {
  if (accept === undefined || accept === '' || accept === '*/*' || accept === 'application/json') return 'application/json';
  for (const { type, charset } of listed(accept)) {
    if (charset !== 'utf-8') continue;
    if (type === 'application/graphql-response+json') return type;
    if (type === 'application/json' || type === 'application/*' || type === '*/*') return 'application/json';
  }
  return undefined;
}

/** Whether the client can take a stream of results, over SSE or as multipart. */
export const acceptsStream = (accept: string | undefined): boolean =>
  accept !== undefined && accept !== '*/*' && /text\/event-stream|multipart\/mixed/i.test(accept);

/** Whether the client can take server-sent events. */
export const acceptsEvents = (accept: string | undefined): boolean => accept !== undefined && /text\/event-stream/i.test(accept);

/** Whether a body's type is JSON; nothing else is taken, so that no page can send a request without asking first. */
export function isJsonBody(contentType: string | undefined): boolean {
  if (contentType === 'application/json') return true;
  const [media] = listed(contentType ?? '');
  return media?.type === 'application/json' && media.charset === 'utf-8';
}

/** Whether a body's type is that of an HTML form, as some services call back with. */
export const isFormBody = (contentType: string | undefined): boolean => listed(contentType ?? '')[0]?.type === 'application/x-www-form-urlencoded';

function listed(header: string): { type: string; charset: string }[] {
  return header.split(',').map((entry) => {
    const [type = '', ...parameters] = entry.split(';').map((part) => part.trim().toLowerCase());
    const charset = parameters.find((parameter) => parameter.startsWith('charset='))?.slice(8) ?? 'utf-8';
    return { type, charset: charset.replaceAll('"', '') };
  });
}
