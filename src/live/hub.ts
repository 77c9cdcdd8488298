import { setTimeout as sleep } from 'node:timers/promises';
import { createSourceEventStream, validateSubscriptionArgs, GraphQLError, type ExecutionResult, type GraphQLSchema, type ValidatedSubscriptionArgs } from 'graphql';
import type { Standings } from '../accounts/standings.ts';
import { withCode } from '../api/documents.ts';
import type { ApiLimits } from '../api/limits.ts';
import { executionArgs } from '../api/operation.ts';
import type { ReadyOperation } from '../api/prepare.ts';
import { requireViewer, type Context } from '../graphql/context.ts';
import { encodeCursor, positionKey } from '../graphql/cursor.ts';
import { LiveTopic, type LiveOrder } from '../graphql/live-topic.ts';
import { onBehalfOf } from '../graphql/on-behalf-of.ts';
import type { Viewer } from '../graphql/viewer.ts';
import type { Log } from '../log.ts';
import type { Settled } from '../outbox/settled.ts';
import type { Bell } from '../stream/bell.ts';
import type { LiveCounts } from './counts.ts';
import { stopping, type EndingCode } from './ending.ts';
import { executeItems, isPassing } from './execute.ts';
import { createGate } from './gate.ts';
import { createGroup, type Group, type GroupDeps } from './group.ts';
import { createMember, type Member, type Outlet, type Transport } from './member.ts';
import { createRecentPages } from './recent-pages.ts';
import { sharingKey } from './sharing.ts';
import { startOf } from './start.ts';
import { watchMembers } from './watch.ts';

export interface LiveHubOptions {
  schema: GraphQLSchema;
  /** Of each order that is followed: up to where it is settled, and what rings when something is new. */
  orders: Record<LiveOrder, { settled: Settled; bell: Bell }>;
  standings: Pick<Standings, 'ofMany'>;
  maskError: (error: GraphQLError) => GraphQLError;
  limits: Pick<ApiLimits, 'operationMs' | 'answerBytes' | 'unreadItems' | 'unreadBytes' | 'unreadMs'>;
  /** How far back a subscription may go on from. */
  retentionMs: number;
  createContext: (viewer: Viewer | undefined, address: string) => Context;
  now: () => Date;
  /** Counted up as things happen. */
  counts: LiveCounts;
  log: Log;
}

export interface Subscribing {
  ready: ReadyOperation;
  viewer: Viewer | undefined;
  /** When the viewer's token expires. */
  until: Date | undefined;
  address: string;
  /** Takes the place of the argument `after`. */
  lastEventId: string | undefined;
  outlet: Outlet;
}

/**
 * Why there is no subscription; or one that begins where it was asked to, and tells its subscriber from `follow` on, until
 * they `leave`.
 */
export type Subscribed = { refused: ExecutionResult } | { follow(): void; leave(): void };

/** A subscription, as it is counted. */
export interface LiveSubscriber {
  transport: Transport;
  field: string;
}

/** All subscriptions of a process, over whatever wire they come. */
export interface LiveHub {
  /** Takes a subscriber. `onOver` is called once, whoever ends it. */
  subscribe(call: Subscribing, onOver: () => void): Promise<Subscribed>;
  /** Who subscribes now, and how many different things they are told. */
  state(): { subscribers: LiveSubscriber[]; groups: number };
  close(): void;
}

/** At a time, of all groups: what is new, and what somebody missed. So those who are there do not wait for those who come back. */
const atOnce = { live: 4, catchUp: 2 };
const liveOrders = ['events', 'deliveryChanges'] as const satisfies LiveOrder[];
const maxRecentChars = 32 * 1024 * 1024;
/** How often to look for what no ring has told of, how often while none comes through, and how often at states, for which nothing rings. */
const lookEveryMs = { up: 5_000, down: 1_000, state: 1_000 };

export function createLiveHub(options: LiveHubOptions): LiveHub {
  const { schema, orders, retentionMs, now, maskError, limits, counts, log } = options;
  const groups = new Map<string, Watched>();
  const recent = createRecentPages({ maxChars: maxRecentChars, now });
  const gates = { live: createGate(atOnce.live), catchUp: createGate(atOnce.catchUp) };
  const closing = new AbortController();
  const onTrouble = (error: unknown): void => log.warn({ err: error }, 'live.interrupted');
  const errorOf = (error: unknown): GraphQLError => maskError(asGraphqlError(error));

  const openGroup = (key: string, { topic, args, viewer, address, start }: Opening): Watched => {
    const { settled, bell } = orders[topic.order];
    const createContext = (): Context => options.createContext(viewer, address);
    const authorize = (): Promise<void> => {
      const context = createContext();
      return onBehalfOf(context, () => topic.authorize(context));
    };
    const order = topic.state ?? settled;
    const group = createGroup(
      {
        name: key, recent, settled: order, isPassing, onTrouble, onRead: (why) => counts.read.add(why), gates, unreadItems: limits.unreadItems,
        read: (stretch) => onBehalfOf({ viewer }, () => topic.read(stretch)),
        execute: (items) => executeItems({ maskError, limits }, { topic, args, createContext }, items),
      },
      start,
    );
    const watched: Watched = { group, topic, order, authorize, silence: bell.listen(topic.formId, group.ring), members: new Set<Member>() };
    groups.set(key, watched);
    return watched;
  };

  const closeIfEmpty = (key: string, watched: Watched): void => {
    if (watched.members.size > 0 || groups.get(key) !== watched) return;
    groups.delete(key);
    watched.silence();
  };

  const begin = async (call: Subscribing, onOver: () => void): Promise<Subscribed> => {
    const { ready, address, until, outlet } = call;
    const context = options.createContext(call.viewer, address);
    const viewer = requireViewer(context); // nothing is told to nobody
    const found = await topicOf({ schema, ready, context });
    if ('refused' in found) return { refused: masked(found.refused, maskError) };
    const { topic, args } = found;
    const { settled } = orders[topic.order];
    const start = await onBehalfOf(context, () => startOf({ settled, retentionMs, now }, { topic, after: call.lastEventId ?? topic.after }));
    if (closing.signal.aborted) return { refused: { errors: [stopping()] } }; // since it was asked for
    const key = sharingKey(schema, { ready, viewer, topic });
    const watched = groups.get(key) ?? openGroup(key, { topic, args, viewer, address, start: Math.max(start, (topic.state ?? settled).known()) });
    const member = createMember({
      viewer, until, position: start, cursorOf: (position) => encodeCursor(positionKey(position, topic.order)), outlet, unreadBytes: limits.unreadBytes, errorOf,
      onTold: (items) => counts.told.add(topic.field, items),
      onOver: (why) => {
        counts.ended.add(why);
        watched.members.delete(member);
        watched.group.leave(member);
        closeIfEmpty(key, watched);
        onOver();
      },
    });
    watched.members.add(member);
    return { follow: () => void watched.group.join(member), leave: member.leave };
  };

  const members = (): Member[] => [...groups.values()].flatMap((watched) => [...watched.members]);
  const look = async (everyMs: () => number, isLookedAt: (watched: Watched) => boolean): Promise<void> => {
    while (!closing.signal.aborted) {
      await sleep(everyMs(), undefined, { signal: closing.signal, ref: false }).catch(() => undefined);
      const watched = [...groups.values()].filter(isLookedAt);
      if (closing.signal.aborted) continue;
      await Promise.all([...new Set(watched.map(({ order }) => order))].map((order) => order.find().catch(onTrouble)));
      for (const { group, order } of watched) if (group.position() < order.known()) group.ring();
    }
  };
  for (const name of liveOrders) {
    const { bell } = orders[name];
    void look(() => (bell.isUp() ? lookEveryMs.up : lookEveryMs.down), ({ topic }) => !topic.state && topic.order === name);
  }
  void look(() => lookEveryMs.state, ({ topic }) => topic.state !== undefined);
  watchMembers({ ...options, groups: () => groups.values(), unreadMs: limits.unreadMs, signal: closing.signal });

  return {
    subscribe: async (call, onOver) => {
      if (closing.signal.aborted) return { refused: { errors: [stopping()] } };
      try {
        return await begin(call, onOver);
      } catch (error) {
        return { refused: { errors: [errorOf(error)] } };
      }
    },
    state: () => ({
      subscribers: [...groups.values()].flatMap((watched) => [...watched.members].map(({ transport }) => ({ transport, field: watched.topic.field }))),
      groups: groups.size,
    }),
    close: () => {
      closing.abort();
      const why: EndingCode = 'SHUTTING_DOWN';
      for (const member of members()) member.end(why);
    },
  };
}

interface Opening {
  topic: LiveTopic;
  args: ValidatedSubscriptionArgs;
  viewer: Viewer;
  address: string;
  start: number;
}

/** A group, with what it takes to keep it. */
export interface Watched {
  group: Group;
  topic: LiveTopic;
  /** What its positions are of. */
  order: GroupDeps['settled'];
  /** Throws where its viewers may not have it any more. */
  authorize: () => Promise<void>;
  silence: () => void;
  /** Those who catch up too. */
  members: Set<Member>;
}

/** What an operation subscribes to, by the word of its field. */
async function topicOf({ schema, ready, context }: { schema: GraphQLSchema; ready: ReadyOperation; context: Context }): Promise<
  { topic: LiveTopic; args: ValidatedSubscriptionArgs } | { refused: readonly GraphQLError[] }
> {
  const args = validateSubscriptionArgs({ ...executionArgs(ready), schema, contextValue: context });
  if (!('schema' in args)) return { refused: args.map((error) => withCode(error, 'BAD_USER_INPUT')) };
  const source = await onBehalfOf(context, () => createSourceEventStream(args));
  if (source instanceof LiveTopic) return { topic: source as LiveTopic, args };
  return { refused: ('errors' in source && source.errors) || [] };
}

const masked = (errors: readonly GraphQLError[], maskError: (error: GraphQLError) => GraphQLError): ExecutionResult => ({ errors: errors.map(maskError) });

const asGraphqlError = (error: unknown): GraphQLError => {
  if (error instanceof GraphQLError) return error;
  return new GraphQLError('Unexpected error.', { originalError: error instanceof Error ? error : new Error(String(error)) });
};
