import type { IncomingMessage, ServerResponse } from 'node:http';
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { ExecutionResult, GraphQLError } from 'graphql';
import type { Viewer } from '../graphql/viewer.ts';
import type { Frame } from '../live/batch.ts';
import type { LiveHub } from '../live/hub.ts';
import type { Outlet } from '../live/member.ts';
import { crossOrigin } from './http-answer.ts';
import type { LivePlaces } from './live-places.ts';
import type { ReadyOperation } from './prepare.ts';
import { problem, Refused } from './refused.ts';

export interface LiveCall {
  request: IncomingMessage;
  response: ServerResponse;
  ready: ReadyOperation;
  viewer: Viewer | undefined;
  until: Date | undefined;
  address: string;
  /** The request is not one under way any more, but a subscriber: it is counted as such. */
  onStreaming: () => void;
}

/** Serves subscriptions over server-sent events. */
export interface LiveEndpoint {
  /** Throws UnavailableError where there is no place for it, Refused where others are under way on its connection. */
  serve(call: LiveCall): Promise<void>;
  /** Open ones, and what they have not read of what was sent. */
  unread(): Unread;
  close(): void;
}

/** Connections of a kind, and the bytes that wait in them together. */
export interface Unread {
  connections: number;
  bytes: number;
}

const beatEveryMs = 15_000;
/** How long a subscriber that was ended may take to read why. */
const lingerMs = 2_000;

/**
 * GraphQL over SSE, in its mode of one connection for each operation, and each event with its cursor as its `id`: so a
 * client that reconnects with the header `Last-Event-ID` goes on where it was. The endpoint writes to the sockets what is
 * the same for all who are told it, as it was made once.
 */
export function createLiveEndpoint({ hub, places, isShared }: { hub: LiveHub; places: LivePlaces; isShared: (request: IncomingMessage) => boolean }): LiveEndpoint {
  const open = new Set<Stream>();
  // a proxy closes what is silent, and a client learns that it is gone only when something is sent
  const beating = setInterval(() => {
    for (const stream of open) stream.beat();
  }, beatEveryMs).unref();

  return {
    serve: async ({ request, response, ready, viewer, until, address, onStreaming }) => {
      // an answer that has just gone out may not be done yet
      if (isShared(request)) await nextTurn();
      if (isShared(request)) throw notAlone();
      const giveBack = [places.takeConnection(address)];
      response.once('close', () => giveBack.forEach((back) => back()));
      giveBack.push(places.takeSubscription(viewer, ready));
      const stream = createStream(response);
      response.once('close', () => open.delete(stream));
      const lastEventId = request.headers['last-event-id']?.toString();
      const subscribed = await hub.subscribe({ ready, viewer, until, address, lastEventId: lastEventId === '' ? undefined : lastEventId, outlet: stream }, () => open.delete(stream));
      if (response.destroyed) return 'leave' in subscribed ? subscribed.leave() : undefined;
      if (isShared(request)) {
        if ('leave' in subscribed) subscribed.leave();
        throw notAlone();
      }
      onStreaming();
      open.add(stream);
      stream.begin(); // only now, so that whoever sees it begin is told all that happens from then on
      if ('refused' in subscribed) return stream.finish(subscribed.refused);
      response.once('close', subscribed.leave);
      subscribed.follow();
    },
    unread: () => ({ connections: open.size, bytes: [...open].reduce((sum, stream) => sum + stream.unreadBytes(), 0) }),
    close: () => clearInterval(beating),
  };
}

/** Their answers would wait for the end of the subscription, or its beginning for them. */
const notAlone = (): Refused => new Refused(problem(400, 'A subscription needs a connection of its own: other requests are under way on this one.'));

interface Stream extends Outlet {
  begin(): void;
  beat(): void;
  /** A last result, and that it was the last. */
  finish(result: ExecutionResult): void;
}

const head = {
  ...crossOrigin,
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-cache, no-transform',
  'x-accel-buffering': 'no',
};
const complete = 'event: complete\ndata:\n\n';
const beat = chunkOf(':\n\n');

function createStream(response: ServerResponse): Stream {
  const { socket } = response;
  let isChunked = true;
  let isOver = false;
  const begin = (): void => {
    response.writeHead(200, head);
    response.flushHeaders();
    isChunked = response.chunkedEncoding; // not for clients of HTTP 1.0
  };
  const write = (text: string): void => void socket?.write(isChunked ? chunkOf(text) : text);
  const finish = (result: ExecutionResult): void => {
    if (isOver || response.destroyed) return;
    isOver = true;
    if (!response.headersSent) begin();
    write(`${retryOf(result)}event: next\ndata: ${JSON.stringify(result)}\n\n${complete}`);
    response.end();
    setTimeout(() => response.destroy(), lingerMs).unref();
  };
  return {
    transport: 'sse',
    begin,
    send: (batch) => void socket?.write(batch.as(isChunked ? asChunk : asText)),
    unreadBytes: () => socket?.writableLength ?? 0,
    flushed: () => new Promise((resolve) => {
      if (!socket || socket.destroyed || socket.writableLength === 0) return resolve();
      socket.write('', () => resolve());
    }),
    end: (error: GraphQLError) => finish({ errors: [error] }),
    beat: () => {
      if (!isOver && socket?.writableLength === 0) socket.write(isChunked ? beat : ':\n\n');
    },
    finish,
  };
}

/** When an `EventSource` is to come back, where the result says so. */
function retryOf({ errors }: ExecutionResult): string {
  const ms = errors?.[0]?.extensions['retryAfterMs'];
  return typeof ms === 'number' ? `retry: ${ms}\n` : '';
}

/** Source: GraphQL over SSE, "Distinct connections mode"; HTML, "Server-sent events". */
const textOf = (frames: readonly Frame[]): string => frames.map(({ cursor, json }) => `id: ${cursor}\nevent: next\ndata: ${json}\n\n`).join('');
const asText = (frames: readonly Frame[]): Buffer => Buffer.from(textOf(frames));
const asChunk = (frames: readonly Frame[]): Buffer => chunkOf(textOf(frames));

/** Source: RFC 9112, 7.1. */
function chunkOf(text: string): Buffer {
  return Buffer.from(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
}
