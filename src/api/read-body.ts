import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';

export type ReadBody = { text: string } | { refused: 'too large' | 'overloaded' | 'not utf-8' | 'aborted' };

export interface BodyReader {
  /** Reads a whole body. Once it has refused one, the rest of that request is not to be waited for. */
  read(request: IncomingMessage): Promise<ReadBody>;
}

/** `maxBytes`: of one body. `maxBufferedBytes`: of all that are being read at a time. */
export function createBodyReader({ maxBytes, maxBufferedBytes }: { maxBytes: number; maxBufferedBytes: number }): BodyReader {
  let buffered = 0;

  const collect = (request: IncomingMessage, done: (body: ReadBody) => void): void => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    const finish = (body: ReadBody): void => {
      buffered -= bytes;
      bytes = 0;
      request.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
      done(body);
    };
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      buffered += chunk.length;
      if (bytes > maxBytes) return finish({ refused: 'too large' });
      if (buffered > maxBufferedBytes) return finish({ refused: 'overloaded' });
      chunks.push(chunk);
    });
    request.on('end', () => finish(decode(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))));
    request.on('close', () => finish({ refused: 'aborted' }));
  };

  return {
    read: (request) => {
      if (Number(request.headers['content-length'] ?? 0) > maxBytes) return Promise.resolve({ refused: 'too large' });
      return new Promise((resolve) => collect(request, resolve));
    },
  };
}

/** Bytes that are no UTF-8 would silently become other characters. */
const decode = (body: Buffer): ReadBody => (isUtf8(body) ? { text: body.toString('utf8') } : { refused: 'not utf-8' });
