import type { HttpReply } from '../../integrations/provider.ts';

type Headers = Extract<HttpReply, { kind: 'response' }>['headers'];

/**
 * The beginning of a reply's body as text for the delivery log, at most `maxBytes` of it. Never decompressed: a few
 * bytes could become gigabytes. NUL becomes U+FFFD, because PostgreSQL's text cannot hold it, and a character cut in
 * half at the end is left out.
 */
export function replyText(chunks: readonly Uint8Array[], headers: Headers, maxBytes: number): string {
  const [first] = chunks;
  if (first === undefined) return '';
  const encoding = headers['content-encoding'];
  if (encoding !== undefined && encoding !== 'identity') return `(not shown: sent as ${String(encoding).slice(0, 40)})`;
  const bytes = chunks.length === 1 ? first : Buffer.concat(chunks);
  const isCut = bytes.length > maxBytes;
  return new TextDecoder().decode(bytes.subarray(0, maxBytes), { stream: isCut }).replaceAll('\0', '\ufffd');
}
