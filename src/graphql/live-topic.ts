import type { Id } from '../events/id.ts';
import type { Context } from './context.ts';
import type { PlaceKind } from './cursor.ts';

/** One thing to tell subscribers, at its place in an order. */
export interface LiveItem {
  position: number;
  /** Absent where a subscription may go on from before it, however long ago that was. */
  occurredAt?: Date;
}

/** A stretch of an order: beyond `after`, up to and with `upTo`, and not more items than `limit`. */
export interface Stretch {
  after: number;
  upTo: number;
  limit: number;
}

/** What was found of a stretch. */
export interface Found<Item extends LiveItem = LiveItem> {
  /** In their order. */
  items: Item[];
  /** Up to where it was looked at: there is nothing else up to there, and what is beyond is to be read next. */
  end: number;
}

/** What is found by a reading that ends early only where it has its limit of items. */
export function foundAll<Item extends LiveItem>({ upTo, limit }: Stretch, items: Item[]): Found<Item> {
  const last = items.at(-1);
  return { items, end: last && items.length === limit ? last.position : upTo };
}

/** The orders that subscriptions follow: that of all events, and that in which deliveries change. */
export type LiveOrder = Extract<PlaceKind, 'events' | 'deliveryChanges'>;

/** An order of its own, for what is no event: the state of one thing, as it is now, at a place that grows with each change. */
export interface StateOrder {
  /** The place that was found last. */
  known(): number;
  /** Finds it anew; callers who come at the same time share it. */
  find(): Promise<number>;
}

/**
 * What a subscription field tells its subscribers. A field answers it as its source of events, because that is where it
 * is known what was asked for and who may; whoever serves the subscription reads from it, for many subscribers at once.
 */
export interface LiveTopicOptions<Item extends LiveItem> {
  /** The subscription's field. */
  field: string;
  /** Topics with the same key have the same items, and tell the same of them. */
  key: string;
  /** Whose positions its items have, unless it tells of a state, and what rings. */
  order: LiveOrder;
  /** Whose events ring when there may be something new. */
  formId: Id<'form'>;
  /** The cursor to go on from, as it was given; undefined: from now on. */
  after: string | undefined;
  /** The items of a stretch. */
  read: (stretch: Stretch) => Promise<Found<Item>>;
  /** Of a topic that tells of a state: whoever comes is told it at once, from whatever cursor, and then each change. */
  state?: StateOrder;
  /** Which of them are told. */
  select: (items: readonly Item[], context: Context) => Promise<readonly Item[]>;
  /** Throws a GraphQL error where the caller may not have them, or not any more. */
  authorize: (context: Context) => Promise<void>;
}

export class LiveTopic<Item extends LiveItem = LiveItem> implements AsyncIterable<Item> {
  readonly field: string;
  readonly key: string;
  readonly order: LiveOrder;
  readonly formId: Id<'form'>;
  readonly after: string | undefined;
  readonly state: StateOrder | undefined;
  readonly read: LiveTopicOptions<Item>['read'];
  readonly select: LiveTopicOptions<Item>['select'];
  readonly authorize: LiveTopicOptions<Item>['authorize'];

  constructor(options: LiveTopicOptions<Item>) {
    this.field = options.field;
    this.key = options.key;
    this.order = options.order;
    this.formId = options.formId;
    this.after = options.after;
    this.state = options.state;
    this.read = options.read;
    this.select = options.select;
    this.authorize = options.authorize;
  }

  /** graphql-js asks for one of every source; nobody but us executes subscriptions, and we read from the topic. */
  [Symbol.asyncIterator](): AsyncIterator<Item> {
    throw new Error('A live topic is read in stretches.');
  }
}
