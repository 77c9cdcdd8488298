import { CloseCode, MessageType, parseMessage, type Message, type SubscribePayload } from 'graphql-ws';
import { GraphQLError, type ExecutionResult } from 'graphql';
import type { RawData, WebSocket } from 'ws';
import type { Context } from '../graphql/context.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { LiveCounts } from '../live/counts.ts';
import type { LiveHub } from '../live/hub.ts';
import type { Log } from '../log.ts';
import type { CallerLimits } from '../rate-limits/caller-limits.ts';
import { UnavailableError } from '../user-error.ts';
import { internalError } from './errors.ts';
import type { ApiLimits } from './limits.ts';
import type { LivePlaces } from './live-places.ts';
import type { OperationRunner } from './operation.ts';
import type { Prepare, ReadyOperation } from './prepare.ts';
import { overloaded } from './refused.ts';
import { pastLimit, requestError } from './request-error.ts';
import { nextOf, outletOf, taken } from './socket-outlet.ts';
import { expiryOf, type Identify } from './viewer.ts';

/** Of a process, whatever way they came: held to the limit of `requests`. */
export interface Load {
  underWay: number;
}

export interface SocketDeps {
  identify: Identify;
  callers: Pick<CallerLimits, 'countRequest'>;
  prepare: Prepare;
  operations: OperationRunner;
  hub: LiveHub;
  places: LivePlaces;
  counts: Pick<LiveCounts, 'refused'>;
  load: Load;
  limits: ApiLimits;
  createContext: (viewer: Viewer | undefined, address: string) => Context;
  log: Log;
  address: string;
  /** Of the request that became the WebSocket; what `connection_init` says comes first. */
  authorization: string | undefined;
}

/** What a WebSocket has said of itself: who that is now, is asked for each operation anew. */
interface Session {
  authorization: string | undefined;
}

/** Try again later: what clients come back after. Source: IANA's registry of close codes. */
const tryAgain = 1013;

/** The service restarts; clients of graphql-ws come back by themselves. Source: IANA's registry of close codes. */
const restarts = 1012;

/** It comes back with every event. Clients use UUIDs. */
const maxIdLength = 100;

export interface SocketSession {
  /** Closes it as soon as what was asked for over it is answered. */
  leave(): void;
}

/**
 * One WebSocket, from its `connection_init` to its end. Source: the protocol of graphql-ws, `graphql-transport-ws`. When
 * its token ends its subscriptions do, and nothing else begins.
 */
export function serveSocket(socket: WebSocket, deps: SocketDeps): SocketSession {
  const { limits, load, log } = deps;
  const operations = new Map<string, () => void>();
  /** Queries and mutations that are not answered, and subscriptions that are not begun. */
  let underWay = 0;
  let isLeaving = false;
  let isKnown = false;
  let session: Promise<Session | undefined> | undefined;
  const late = setTimeout(() => socket.close(CloseCode.ConnectionInitialisationTimeout, 'Connection initialisation timeout'), limits.socketInitMs).unref();
  const send = (message: Message): void => socket.send(JSON.stringify(message));

  const begin = async (payload: Record<string, unknown> | undefined): Promise<Session | undefined> => {
    clearTimeout(late);
    const said = payload?.['authorization'] ?? payload?.['Authorization'] ?? deps.authorization;
    const authorization = typeof said === 'string' ? said : undefined;
    const identity = await deps.identify(authorization);
    await deps.callers.countRequest({ viewer: typeof identity === 'string' ? undefined : identity, address: deps.address });
    if (identity === 'refused') {
      socket.close(CloseCode.Unauthorized, 'The token or API key is not valid');
      return undefined;
    }
    send({ type: MessageType.ConnectionAck });
    isKnown = true;
    return { authorization };
  };

  const run = async (id: string, { payload, session: { authorization } }: { payload: SubscribePayload; session: Session }): Promise<void> => {
    const identity = await deps.identify(authorization);
    if (identity === 'refused') throw requestError('UNAUTHENTICATED', 'The token or API key is not valid any more: connect with a new one.');
    const viewer = identity === 'anonymous' ? undefined : identity;
    const { query, variables, operationName } = payload;
    const prepared = deps.prepare({ query, variables: variables ?? undefined, operationName: operationName ?? undefined }, viewer);
    await deps.callers.countRequest({ viewer, address: deps.address }, 'ready' in prepared ? prepared.ready.calls : 1);
    if ('refused' in prepared) return fail(id, prepared.refused);
    if (prepared.ready.operation.operation === 'subscription') return follow(id, { ready: prepared.ready, viewer, until: expiryOf(authorization) });
    const whenGone = (listener: () => void): void => void operations.set(id, listener);
    const { result } = await deps.operations.run(prepared, { createContext: () => deps.createContext(viewer, deps.address), whenGone });
    complete(id, result);
  };

  const follow = async (id: string, begun: { ready: ReadyOperation; viewer: Viewer | undefined; until: Date | undefined }): Promise<void> => {
    const giveBack = deps.places.takeSubscription(begun.viewer, begun.ready);
    const subscribed = await deps.hub.subscribe({ ...begun, address: deps.address, lastEventId: undefined, outlet: outletOf(socket, id, () => operations.delete(id)) }, giveBack);
    if ('refused' in subscribed) {
      giveBack();
      return fail(id, subscribed.refused.errors ?? []);
    }
    // ended by the client, or with its connection, while it was begun
    if (!operations.has(id) || socket.readyState !== socket.OPEN) subscribed.leave();
    else {
      operations.set(id, subscribed.leave);
      subscribed.follow();
    }
  };

  const complete = (id: string, result: ExecutionResult): void => {
    if (!operations.delete(id)) return;
    if (result.data === undefined) return send({ id, type: MessageType.Error, payload: (result.errors ?? []).map((error) => error.toJSON()) });
    socket.send(nextOf(id, JSON.stringify(result)));
    send({ id, type: MessageType.Complete });
  };

  const fail = (id: string, errors: readonly GraphQLError[]): void => {
    if (operations.delete(id)) send({ id, type: MessageType.Error, payload: errors.map((error) => error.toJSON()) });
  };

  const closeIfDone = (): void => {
    if (!isLeaving || underWay > 0) return;
    socket.close(restarts, 'Service restart');
  };

  const subscribe = async (id: string, payload: SubscribePayload): Promise<void> => {
    const isOverloaded = load.underWay > limits.requests; // as it is now: others come while this waits
    const known = await session;
    if (!known) return socket.close(CloseCode.Unauthorized, 'Unauthorized');
    if (operations.has(id)) return socket.close(CloseCode.SubscriberAlreadyExists, `Subscriber for ${id} already exists`);
    operations.set(id, () => undefined);
    if (operations.size > limits.socketSubscriptions) return fail(id, [noPlace()]);
    try {
      if (isOverloaded) throw overloaded();
      await run(id, { payload, session: known });
    } catch (error) {
      fail(id, [errorOf(error)]);
    }
  };

  const noPlace = (): GraphQLError => {
    deps.counts.refused.add('socket');
    return pastLimit('socketSubscriptions', `A WebSocket may have ${limits.socketSubscriptions} operations under way.`);
  };

  const errorOf = (error: unknown): GraphQLError => {
    if (error instanceof UnavailableError) return new GraphQLError(error.message, { extensions: { code: error.code, retryAfterMs: error.retryAfterMs } });
    if (error instanceof Error && 'extensions' in error) return error as GraphQLError;
    log.error({ err: error }, 'request.failed');
    return internalError();
  };

  const end = (id: string): void => {
    operations.get(id)?.();
    operations.delete(id);
  };

  const receive = async (message: Message): Promise<void> => {
    switch (message.type) {
      case MessageType.ConnectionInit:
        if (session) return socket.close(CloseCode.TooManyInitialisationRequests, 'Too many initialisation requests');
        session = begin(message.payload);
        return void (await session);
      case MessageType.Ping:
        return send({ type: MessageType.Pong });
      case MessageType.Subscribe:
        if (message.id.length > maxIdLength) return socket.close(CloseCode.BadRequest, `An id has at most ${maxIdLength} characters`);
        // what is asked before it is known who asks waits for that, but not without end
        if (!isKnown && underWay >= limits.socketSubscriptions) return socket.close(CloseCode.Unauthorized, 'Wait for connection_ack');
        underWay += 1;
        load.underWay += 1;
        return subscribe(message.id, message.payload).finally(() => {
          underWay -= 1;
          load.underWay -= 1;
          closeIfDone();
        });
      case MessageType.Complete:
        return end(message.id);
      case MessageType.Pong:
        return;
      case MessageType.ConnectionAck:
      case MessageType.Next:
      case MessageType.Error:
        return socket.close(CloseCode.BadRequest, `A client does not send ${message.type}`);
    }
  };

  /** Who does not read what they asked for asks for nothing more; one that never reads does not answer a ping either, and is cut. */
  const rest = (): void => {
    socket.pause();
    void taken(socket).then(() => socket.resume());
  };

  socket.on('message', (data) => {
    if (socket.readyState !== socket.OPEN) return; // what comes after we have closed could not be answered, and is not done
    if (socket.bufferedAmount > limits.unreadBytes) rest();
    const message = readMessage(data);
    if (typeof message === 'string') return socket.close(CloseCode.BadRequest, message);
    receive(message).catch((error: unknown) => {
      if (!(error instanceof UnavailableError)) log.error({ err: error }, 'socket.failed');
      socket.close(error instanceof UnavailableError ? tryAgain : CloseCode.InternalServerError, error instanceof UnavailableError ? error.code : 'Internal error');
    });
  });
  socket.once('close', () => {
    clearTimeout(late);
    for (const id of operations.keys()) end(id);
  });
  return {
    leave: () => {
      isLeaving = true;
      closeIfDone();
    },
  };
}

/** The message, or why it is none; a reason for closing has at most 123 bytes. */
function readMessage(data: RawData): Message | string {
  try {
    return parseMessage((data as Buffer).toString('utf8'));
  } catch (error) {
    return (error instanceof Error ? error.message : String(error)).slice(0, 100);
  }
}
