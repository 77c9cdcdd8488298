import { MessageType } from 'graphql-ws';
import type { WebSocket } from 'ws';
import type { Batch, Frame } from '../live/batch.ts';
import type { Outlet } from '../live/member.ts';

/** What is the same for all is made once; only the operation's id is the client's own. */
export const nextOf = (id: string, json: string): string => `{"id":${JSON.stringify(id)},"type":"next","payload":${json}}`;

/** Resolves when the connection has taken all that was sent over it, or is gone. */
export const taken = (socket: WebSocket): Promise<void> =>
  new Promise((resolve) => (socket.readyState === socket.OPEN ? socket.ping(undefined, false, () => resolve()) : resolve()));

/** One subscription's end of a WebSocket, which others may share. */
export function outletOf(socket: WebSocket, id: string, onOver: () => void): Outlet {
  return {
    transport: 'websocket',
    send: ({ frames }: Batch) => frames.forEach(({ json }: Frame) => socket.send(nextOf(id, json))),
    unreadBytes: () => socket.bufferedAmount,
    flushed: () => taken(socket),
    end: (error) => {
      onOver();
      socket.send(JSON.stringify({ id, type: MessageType.Error, payload: [error.toJSON()] }));
    },
  };
}
