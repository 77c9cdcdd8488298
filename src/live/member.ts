import type { GraphQLError } from 'graphql';
import type { Viewer } from '../graphql/viewer.ts';
import type { Batch } from './batch.ts';
import { endingOfCode, type Ending } from './counts.ts';
import { endingOf, withCursor, type EndingCode } from './ending.ts';

export const transports = ['sse', 'websocket'] as const;
export type Transport = (typeof transports)[number];

/** The subscriber's end of a connection. Nothing here waits for it: what it does not take gathers, up to a bound. */
export interface Outlet {
  readonly transport: Transport;
  send(batch: Batch): void;
  /** Bytes handed over that the connection has not taken. */
  unreadBytes(): number;
  /** Resolves when all that was handed over is taken, or the connection is gone. */
  flushed(): Promise<void>;
  /** Nothing comes after this. */
  end(error: GraphQLError): void;
}

/** Who subscribed, and how far they have been told. */
export interface Member {
  readonly viewer: Viewer;
  readonly transport: Transport;
  /** When the token expires that they subscribed with; undefined: with a key, which ends by being revoked. */
  readonly until: Date | undefined;
  /** Everything up to here has been handed over. */
  readonly position: number;
  readonly signal: AbortSignal;
  /**
   * Hands over what is new to them of a batch, up to and with `end`. Answers false, and hands over nothing, where too much
   * of what came before is not taken yet.
   */
  tell(batch: Batch, end: number): boolean;
  /** Resolves when everything is taken, or the subscription is over. */
  flushed(): Promise<void>;
  /** Ends a subscriber that has taken nothing of what was there for it since this was called last. */
  requireProgress(): void;
  end(why: EndingCode): void;
  /** Ends with what went wrong. */
  fail(error: unknown): void;
  /** The subscriber has gone. */
  leave(): void;
}

export interface MemberOptions {
  viewer: Viewer;
  until: Date | undefined;
  position: number;
  /** The cursor that goes on after a position. */
  cursorOf: (position: number) => string;
  outlet: Outlet;
  /** What may gather that is handed over and not taken. */
  unreadBytes: number;
  /** What a subscriber gets to see of what went wrong. */
  errorOf: (error: unknown) => GraphQLError;
  /** So many items were handed over. */
  onTold: (items: number) => void;
  /** Called once. */
  onOver: (why: Ending) => void;
}

export function createMember({ viewer, until, cursorOf, outlet, unreadBytes, errorOf, onTold, onOver, ...options }: MemberOptions): Member {
  const over = new AbortController();
  let { position } = options;
  let handedOver = 0;
  let takenBefore = -1;

  const finish = (why: Ending): void => {
    if (over.signal.aborted) return;
    over.abort();
    onOver(why);
  };
  const endWith = (error: GraphQLError): void => {
    if (over.signal.aborted) return;
    outlet.end(error);
    finish(endingOfCode(error.extensions['code']));
  };
  const end = (why: EndingCode): void => endWith(endingOf(why, cursorOf(position)));

  return {
    viewer,
    transport: outlet.transport,
    until,
    get position() {
      return position;
    },
    signal: over.signal,
    tell: (batch, upTo) => {
      if (over.signal.aborted || upTo <= position) return true;
      const own = batch.after(position);
      if (own.frames.length > 0) {
        const before = outlet.unreadBytes();
        if (before > unreadBytes) return false;
        outlet.send(own);
        onTold(own.frames.length);
        handedOver += outlet.unreadBytes() - before;
      }
      position = upTo;
      return true;
    },
    flushed: () => (over.signal.aborted ? Promise.resolve() : outlet.flushed()),
    requireProgress: () => {
      const unread = outlet.unreadBytes();
      const taken = handedOver - unread;
      if (unread > 0 && taken === takenBefore) return end('TOO_SLOW');
      takenBefore = unread > 0 ? taken : -1;
    },
    end,
    fail: (error) => endWith(withCursor(errorOf(error), cursorOf(position))),
    leave: () => finish('LEFT'),
  };
}
