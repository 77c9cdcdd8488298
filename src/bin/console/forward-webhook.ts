import type { IncomingHttpHeaders } from 'node:http';
import { request } from 'undici';
import { failureOf } from '../../outbound/failure-of.ts';
import type { WebhookAnswer } from './webhook-receiver.ts';

/** Longer than any webhook of ours waits, so that its own limit decides. */
const timeoutMs = 40_000;
/** As much as the log of deliveries shows, and some more. */
const maxAnswerBytes = 16 * 1024;
/** What belongs to one connection, and not to what goes over it. Source: RFC 9110, section 7.6.1. */
const ofConnection = new Set(['host', 'connection', 'content-length', 'transfer-encoding', 'keep-alive', 'te', 'trailer', 'upgrade', 'expect']);

/** Hands a webhook on as it came, so that its signature still fits, and answers what the receiver does; 502 where there is none. */
export async function forwardWebhook(url: URL, { headers, body }: { headers: IncomingHttpHeaders; body: Buffer }): Promise<WebhookAnswer> {
  const handedOn = Object.fromEntries(Object.entries(headers).filter(([name]) => !ofConnection.has(name)));
  try {
    const { statusCode, headers: answered, body: answer } = await request(url, { method: 'POST', headers: handedOn, body, headersTimeout: timeoutMs, bodyTimeout: timeoutMs });
    const { 'content-type': type, 'retry-after': retryAfter } = answered;
    return { status: statusCode, headers: { ...(type && { 'content-type': String(type) }), ...(retryAfter && { 'retry-after': String(retryAfter) }) }, body: await beginningOf(answer) };
  } catch (error) {
    const trouble = failureOf(error, url.host)?.message ?? `${url.host} could not be asked.`;
    return { status: 502, trouble, body: `formwire listen: ${trouble}\n` };
  }
}

async function beginningOf(answer: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let bytes = 0;
  for await (const chunk of answer) {
    chunks.push(chunk);
    bytes += chunk.byteLength;
    if (bytes >= maxAnswerBytes) break;
  }
  return Buffer.concat(chunks).subarray(0, maxAnswerBytes);
}
