import { isUtf8 } from 'node:buffer';
import type { IncomingMessage } from 'node:http';
import type { ApiLimits } from './limits.ts';

export type ReadBody = { text: string } | { refused: Refusal };
export type Refusal = 'too large' | 'too slow' | 'overloaded' | 'not utf-8' | 'aborted';

export interface BodyReader {
  /** Reads a whole body. Once it has refused one, the rest of that request is not to be waited for. `address`: whose share it takes. */
  read(request: IncomingMessage, address: string): Promise<ReadBody>;
}

type BodyLimits = Pick<ApiLimits, 'bodyBytes' | 'bodyQuietMs' | 'bodyBytesPerSecond' | 'bufferedBytes' | 'addressBufferedBytes'>;

/** A body on its way in. */
interface Arriving {
  address: string;
  bytes: number;
  beganAt: number;
  heardAt: number;
  refuse(why: Refusal): void;
}

/**
 * Bounds what is held of bodies that are still on their way. One address has a share; past the bound of all, the body
 * that comes slowest gives way to the one that needs room, so that slow senders cannot lock out others.
 */
export function createBodyReader(limits: BodyLimits): BodyReader {
  const arriving = new Set<Arriving>();
  const heldOf = new Map<string, number>();
  let held = 0;
  let sweeping: NodeJS.Timeout | undefined;
  /** Younger ones do not give way: nobody can say yet how quickly they come. */
  const tooYoungMs = limits.bodyQuietMs / 5;

  const hold = ({ address }: Arriving, bytes: number): void => {
    held += bytes;
    const ofAddress = (heldOf.get(address) ?? 0) + bytes;
    if (ofAddress > 0) heldOf.set(address, ofAddress);
    else heldOf.delete(address);
  };

  const makeRoom = (): boolean => {
    while (held > limits.bufferedBytes) {
      const slowest = slowestOf(arriving, tooYoungMs);
      if (!slowest) return false;
      slowest.refuse('overloaded');
    }
    return true;
  };

  const sweep = (): void => {
    sweeping = undefined;
    const now = performance.now();
    for (const body of arriving) if (isTooSlow(body, { now, limits })) body.refuse('too slow');
    keepSweeping();
  };
  const keepSweeping = (): void => {
    if (arriving.size > 0) sweeping ??= setTimeout(sweep, Math.min(1_000, limits.bodyQuietMs / 4)).unref();
  };

  const collect = (request: IncomingMessage, address: string, done: (body: ReadBody) => void): void => {
    const chunks: Buffer[] = [];
    const now = performance.now();
    const body: Arriving = { address, bytes: 0, beganAt: now, heardAt: now, refuse: (refused) => finish({ refused }) };
    const finish = (read: ReadBody): void => {
      if (!arriving.delete(body)) return;
      hold(body, -body.bytes);
      request.removeAllListeners('data').removeAllListeners('end').removeAllListeners('close');
      done(read);
    };
    arriving.add(body);
    keepSweeping();
    request.on('data', (chunk: Buffer) => {
      body.bytes += chunk.length;
      body.heardAt = performance.now();
      hold(body, chunk.length);
      if (body.bytes > limits.bodyBytes) return finish({ refused: 'too large' });
      if ((heldOf.get(address) ?? 0) > limits.addressBufferedBytes || !makeRoom()) return finish({ refused: 'overloaded' });
      chunks.push(chunk);
    });
    request.on('end', () => finish(decode(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks))));
    request.on('close', () => finish({ refused: 'aborted' }));
  };

  return {
    read: (request, address) => {
      if (Number(request.headers['content-length'] ?? 0) > limits.bodyBytes) return Promise.resolve({ refused: 'too large' });
      return new Promise((resolve) => collect(request, address, resolve));
    },
  };
}

function isTooSlow({ bytes, beganAt, heardAt }: Arriving, { now, limits }: { now: number; limits: BodyLimits }): boolean {
  if (now - heardAt > limits.bodyQuietMs) return true;
  return bytes < ((now - beganAt - limits.bodyQuietMs) / 1_000) * limits.bodyBytesPerSecond;
}

/** The one with the fewest bytes for the time it has had. */
function slowestOf(arriving: Iterable<Arriving>, olderThanMs: number): Arriving | undefined {
  const now = performance.now();
  let slowest: { body: Arriving; rate: number } | undefined;
  for (const body of arriving) {
    const ageMs = now - body.beganAt;
    if (ageMs < olderThanMs) continue;
    const rate = body.bytes / ageMs;
    if (!slowest || rate < slowest.rate) slowest = { body, rate };
  }
  return slowest?.body;
}

/** Bytes that are no UTF-8 would silently become other characters. */
const decode = (body: Buffer): ReadBody => (isUtf8(body) ? { text: body.toString('utf8') } : { refused: 'not utf-8' });
