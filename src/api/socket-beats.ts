/** What is looked at of a WebSocket. */
export interface BeatingSocket {
  /** Bytes that were sent and that its client has not taken. */
  readonly bufferedAmount: number;
  ping(): void;
  terminate(): void;
}

export interface SocketBeats {
  /** Pings a WebSocket, and cuts it where the last ping was not answered. To be called now and then. */
  beat(socket: BeatingSocket): void;
  /** It has answered. */
  heard(socket: BeatingSocket): void;
}

/**
 * Tells clients that are gone from those that have much to read: these come to a ping only after all that was sent before
 * it, and are not asked while anything is left. They are cut when they have taken nothing for `mostUnreadMs`.
 */
export function createSocketBeats({ mostUnreadMs, now }: { mostUnreadMs: number; now: () => number }): SocketBeats {
  const asked = new WeakSet<BeatingSocket>();
  const behind = new WeakMap<BeatingSocket, { bytes: number; since: number }>();

  const follow = (socket: BeatingSocket): void => {
    const { bufferedAmount: bytes } = socket;
    const before = behind.get(socket);
    if (before?.bytes !== bytes) behind.set(socket, { bytes, since: now() });
    else if (now() - before.since >= mostUnreadMs) socket.terminate();
  };

  return {
    beat: (socket) => {
      if (socket.bufferedAmount > 0) return follow(socket);
      if (asked.has(socket) && !behind.has(socket)) return socket.terminate();
      behind.delete(socket);
      asked.add(socket);
      socket.ping();
    },
    heard: (socket) => void asked.delete(socket),
  };
}
