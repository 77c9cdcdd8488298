import type { Id } from '../events/id.ts';
import type { Context } from './context.ts';

/** One thing to tell subscribers, at its place in the order of all events. */
export interface LiveItem {
  position: number;
  occurredAt: Date;
}

/** A stretch of the order of events: beyond `after`, up to and with `upTo`, and not more items than `limit`. */
export interface Stretch {
  after: number;
  upTo: number;
  limit: number;
}

/** An order of its own, for what is no event: the state of one thing, as it is now, at a place that grows with each change. */
export interface LiveOrder {
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
  /** Topics with the same key have the same items, and tell the same of them. */
  key: string;
  /** Whose events ring when there may be something new. */
  formId: Id<'form'>;
  /** The cursor to go on from, as it was given; undefined: from now on. */
  after: string | undefined;
  /** Of a topic that tells of a state: whoever comes is told it at once, from whatever cursor, and then each change. */
  state?: LiveOrder;
  /** The items of a stretch, in their order. */
  read: (stretch: Stretch) => Promise<Item[]>;
  /** Which of them are told. */
  select: (items: readonly Item[], context: Context) => Promise<readonly Item[]>;
  /** Throws a GraphQL error where the caller may not have them, or not any more. */
  authorize: (context: Context) => Promise<void>;
}

export class LiveTopic<Item extends LiveItem = LiveItem> implements AsyncIterable<Item> {
  readonly key: string;
  readonly formId: Id<'form'>;
  readonly after: string | undefined;
  readonly state: LiveOrder | undefined;
  readonly read: LiveTopicOptions<Item>['read'];
  readonly select: LiveTopicOptions<Item>['select'];
  readonly authorize: LiveTopicOptions<Item>['authorize'];

  constructor(options: LiveTopicOptions<Item>) {
    this.key = options.key;
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
